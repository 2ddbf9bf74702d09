import { deepEqual, equal, rejects } from "node:assert/strict";
import { originalOf, readTree } from "./reading.ts";

const signal = new AbortController().signal;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function withTree(run: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/deep`);
    await Deno.writeFile(`${root}/deep/a`, bytes("alpha"));
    await Deno.writeFile(`${root}/b`, bytes("beta"));
    await run(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("a tree that is as it was stored has no differences", async () => {
  await withTree(async (root) => {
    const originals = new Map([["deep/a", originalOf(bytes("alpha"))], [
      "b",
      originalOf(bytes("beta")),
    ]]);
    const reading = await readTree(root, originals, signal);
    deepEqual(reading.differences, []);
    equal(reading.files, 2);
    equal(reading.bytes, 9);
  });
});

Deno.test("changed, cut, missing and added files are differences", async () => {
  await withTree(async (root) => {
    const originals = new Map([
      ["b", originalOf(bytes("bETA"))],
      ["gone", originalOf(bytes(""))],
    ]);
    deepEqual((await readTree(root, originals, signal)).differences, [
      "b: has other bytes than were stored",
      "deep/a: was never stored",
      "gone: is not listed",
    ]);
    originals.set("b", originalOf(bytes("beta and more")));
    const [cut] = (await readTree(root, originals, signal)).differences;
    equal(cut, "b: has 4 bytes instead of 13");
  });
});

Deno.test("reading ends when its signal aborts", async () => {
  await withTree(async (root) => {
    const reason = new Error("Enough");
    await rejects(readTree(root, new Map(), AbortSignal.abort(reason)), reason);
  });
});
