import assert from "node:assert/strict";
import { readAgain, storedCredential } from "./stored_credential.ts";
import { Secret } from "../../platform/secret.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

const never = new AbortController().signal;

async function withFile(body: (file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-stored-" });
  try {
    await body(`${directory}/secret`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function opened(secret: Secret) {
  const clock = new FakeClock();
  const counted: string[] = [];
  const onRenewal = (status: string, provider: string) => counted.push(`${provider} ${status}`);
  const make = ([read]: readonly Secret[]) => {
    const text = read?.reveal() ?? "";
    if (text === "no key") throw new Error("That is no key");
    return { value: text, expiresMs: Infinity };
  };
  const credential = storedCredential([secret], make, { clock, random: () => 0, onRenewal });
  return { clock, counted, credential };
}

Deno.test("a secret that is replaced in its file is used from then on", async () => {
  await withFile(async (file) => {
    await Deno.writeTextFile(file, "old\n");
    const { clock, counted, credential } = opened(new Secret("old", file));
    assert.equal(await credential.get(never), "old");
    await Deno.writeTextFile(file, "new\n");
    assert.equal(await credential.get(never), "old");
    await clock.advance(10_000);
    await credential.get(never);
    await settled(clock, credential, "new");
    assert.equal(await credential.get(never), "new");
    assert.deepEqual(counted, ["static success", "static success"]);
    await credential[Symbol.asyncDispose]();
  });
});

Deno.test("a secret that the store refuses is read from its file at once", async () => {
  await withFile(async (file) => {
    await Deno.writeTextFile(file, "new");
    const { credential } = opened(new Secret("old", file));
    const first = await credential.get(never);
    assert.equal(first, "new", "what the file says now counts, not what it said at the start");
    await Deno.writeTextFile(file, "newer");
    assert.equal(await credential.another("new", never), "newer");
    assert.equal(await credential.get(never), "newer");
  });
});

Deno.test("a file that is gone, empty or wrong leaves the secret that was there", async () => {
  await withFile(async (file) => {
    await Deno.writeTextFile(file, "old");
    const { clock, counted, credential } = opened(new Secret("old", file));
    await credential.get(never);
    counted.length = 0;
    for (const text of [null, "", "no key"]) {
      if (text === null) await Deno.remove(file);
      else await Deno.writeTextFile(file, text);
      await clock.advance(10_000);
      assert.equal(await credential.get(never), "old");
      for (let turn = 0; turn < 100 && counted.length === 0; turn += 1) await clock.settle();
      assert.deepEqual(counted, ["static failure"]);
      counted.length = 0;
      assert.equal(await credential.get(never), "old");
    }
    await credential[Symbol.asyncDispose]();
  });
});

Deno.test("a secret of a variable is the same for ever, and no other is to be had", async () => {
  const { clock, counted, credential } = opened(new Secret("text"));
  assert.equal(await credential.get(never), "text");
  await clock.advance(1e12);
  assert.equal(await credential.get(never), "text");
  assert.equal(await credential.another("text", never), null);
  assert.deepEqual(counted, ["static success"]);
});

Deno.test("readAgain says which file holds no secret", async () => {
  await withFile(async (file) => {
    await assert.rejects(readAgain(new Secret("x", file)), new RegExp(`"${file}" cannot be read`));
    await Deno.writeTextFile(file, " \n");
    await assert.rejects(readAgain(new Secret("x", file)), new RegExp(`"${file}" is empty`));
  });
});

/** Waits until the background has read what is `wanted`. */
async function settled(
  clock: FakeClock,
  credential: { get(signal: AbortSignal): Promise<string> },
  wanted: string,
): Promise<void> {
  for (let turn = 0; turn < 100 && await credential.get(never) !== wanted; turn += 1) {
    await clock.settle();
  }
}
