/** What a backend reads: ranges of one version, and nothing else. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BackendError } from "../../cache/backend/backend.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "../support/backend_calls.ts";
import type { Case } from "./case.ts";

/** The cases, in the order in which they build on each other. */
export const READING_CASES: readonly Case[] = [
  ["reads any range of an object", [], async ({ backend }) => {
    const bytes = patternOf(100_000, 1);
    const { version } = await put(backend, "object", bytes);
    for (const [offset, length] of [[0, 100_000], [0, 1], [1, 65_536], [99_999, 1], [777, 4096]]) {
      assert.ok(offset !== undefined && length !== undefined);
      const got = await read(backend, "object", version, offset, length);
      assert.deepEqual(got, bytes.subarray(offset, offset + length));
    }
  }],

  ["announces filled bytes in order and up to the end", [], async ({ backend }) => {
    const bytes = patternOf(1_000_000, 2);
    const { version } = await put(backend, "object", bytes);
    const target = new Uint8Array(900_000);
    const announced: number[] = [0];
    const onFilled = (filled: number) => {
      assert.ok(filled > (announced.at(-1) ?? 0));
      assert.deepEqual(target.subarray(0, filled), bytes.subarray(50_000, 50_000 + filled));
      announced.push(filled);
    };
    await backend.read({ path: "object", version, offset: 50_000, target, onFilled }, never);
    assert.equal(announced.at(-1), target.length);
  }],

  ["serves many reads at once", [], async ({ backend }) => {
    const bytes = patternOf(320_000, 3);
    const { version } = await put(backend, "object", bytes);
    const parts = await Promise.all(
      Array.from(
        { length: 32 },
        (_, part) => read(backend, "object", version, part * 10_000, 10_000),
      ),
    );
    parts.forEach((part, index) =>
      assert.deepEqual(part, bytes.subarray(index * 10_000, (index + 1) * 10_000))
    );
  }],

  ["refuses to read a version that was overwritten", [], async ({ backend }) => {
    const old = await put(backend, "object", patternOf(50_000, 4));
    const now = await put(backend, "object", patternOf(50_000, 5));
    assert.notEqual(now.version, old.version);
    await failsWith("changed", read(backend, "object", old.version, 0, 50_000));
    await failsWith("changed", read(backend, "object", old.version, 49_999, 1));
    assert.deepEqual(
      await read(backend, "object", now.version, 0, 50_000),
      patternOf(50_000, 5),
    );
  }],

  ["never mixes versions when one is overwritten during a read", [], async ({ backend }) => {
    const bytes = patternOf(8_000_000, 6);
    const { version } = await put(backend, "object", bytes);
    const target = new Uint8Array(bytes.length);
    let announced = 0;
    let overwriting: Promise<unknown> | null = null;
    const reading = backend.read({
      path: "object",
      version,
      offset: 0,
      target,
      onFilled: (filled) => {
        announced = filled;
        overwriting ??= put(backend, "object", patternOf(8_000_000, 7));
      },
    }, never);
    const failure: unknown = await reading.then(() => null, (error: unknown) => error);
    await overwriting;
    assert.deepEqual(target.subarray(0, announced), bytes.subarray(0, announced));
    if (failure === null) assert.equal(announced, bytes.length);
    else assert.ok(failure instanceof BackendError && failure.code === "changed");
    await failsWith("changed", read(backend, "object", version, 0, 10));
  }],

  ["refuses to read a version that was deleted", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("short-lived"));
    await backend.remove("object", never);
    await failsWith("changed", read(backend, "object", version, 0, 5));
    assert.equal(await backend.stat("object", never), null);
  }],

  ["stops a read in the middle when its signal aborts", ["progressive_reads"], async (fixture) => {
    const { backend } = fixture;
    const { version } = await put(backend, "object", patternOf(16_000_000, 10));
    const controller = new AbortController();
    const reason = new Error("Enough");
    const target = new Uint8Array(16_000_000);
    let announced = 0;
    const onFilled = (filled: number) => {
      announced = filled;
      controller.abort(reason);
    };
    await assert.rejects(
      backend.read({ path: "object", version, offset: 0, target, onFilled }, controller.signal),
      reason,
    );
    assert.ok(announced < target.length);
  }],

  ["knows the checksum of an object", ["checksums"], async ({ backend }) => {
    const bytes = patternOf(100_000, 9);
    const { version } = await put(backend, "object", bytes);
    const hex = createHash("md5").update(bytes).digest("hex");
    assert.deepEqual(await backend.checksum("object", version, never), { digest: "md5", hex });
  }],

  ["knows no checksum of what is not there any more", [], async ({ backend }) => {
    const old = await put(backend, "object", patternOf(50_000, 4));
    await put(backend, "object", patternOf(50_000, 5));
    assert.equal(await backend.checksum("object", old.version, never), null);
    assert.equal(await backend.checksum("absent", old.version, never), null);
  }],
];
