import { deepEqual, equal, ok } from "node:assert/strict";
import { newObject } from "../../tests/support/cached_rows.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { NamesPlace } from "../../tests/support/known_names.ts";
import type { Entry } from "../backend/backend.ts";
import type { NamesToKeep } from "./known_names.ts";

function entries(count: number): readonly Entry[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: "directory",
    name: `d${index}`,
    modified: null,
    posix: null,
  }));
}

function names(count: number, kept: () => void = () => undefined): NamesToKeep {
  return { count, fetchedMs: 5.5, entries: () => entries(count), kept };
}

Deno.test("names are written a while after they were listed, and a few at a time", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const known = at.names(clock);
  let kept = 0;
  for (let index = 0; index < 5; index += 1) {
    known.keep("train", `d/${index}`, names(900, () => kept += 1));
  }
  await clock.advance(999);
  deepEqual(at.written, []);
  await clock.advance(1);
  deepEqual(at.written, ["d/0", "d/1"]);
  await clock.advance(1_000);
  equal(at.written.length, 5);
  equal(kept, 5);
  deepEqual(await known.listing("train", "d/4"), {
    fetchedMs: 5,
    complete: true,
    entries: entries(900),
  });
  equal(clock.sleeping, 0);
});

Deno.test("names that wait for too long a queue are left out, and it stays bounded", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const known = at.names(clock);
  for (let index = 0; index < 300; index += 1) known.keep("train", `d/${index}`, names(999));
  known.keep("train", "huge", names(100_001));
  await clock.advance(60_000);
  equal(at.written.length, 100);
  known.keep("train", "later", names(1));
  await clock.advance(1_000);
  equal(at.written.at(-1), "later");
});

Deno.test("names listed again before they were written are written once", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const known = at.names(clock);
  for (const count of [1, 2, 3]) known.keep("train", "d", names(count));
  known.keep("train", "same", { ...names(1), entries: () => null });
  await clock.advance(2_000);
  deepEqual(at.written, ["d"]);
  equal((await known.listing("train", "d"))?.entries.length, 3);
});

Deno.test("names that wait are written when the mount ends", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const known = at.names(clock);
  for (let index = 0; index < 5; index += 1) known.keep("train", `d/${index}`, names(900));
  await known[Symbol.asyncDispose]();
  equal(at.written.length, 5);
  known.keep("train", "too late", names(1));
  equal(clock.sleeping, 0);
});

Deno.test("cachedAt finds the newest version of an object, and directories above it", async () => {
  await using at = await NamesPlace.open();
  const known = at.names(new FakeClock());
  for (const version of ["v1", "v2"]) at.index.insert(newObject("a/b/c", version));
  const found = await known.cachedAt("train", "a/b/c");
  equal(found?.kind === "object" ? found.version : null, "v2");
  equal((await known.cachedAt("train", "a/b"))?.kind, "directory");
  equal(await known.cachedAt("train", "a/x"), null);
  equal(await known.cachedAt("other", "a/b"), null);
});

Deno.test("since when a store is silent outlives the process that noticed it", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const first = at.names(clock);
  equal(await first.silentSinceMs("train"), null);
  first.setSilentSince("train", 1_234.5);
  await clock.settle();
  const second = at.names(clock);
  equal(await second.silentSinceMs("train"), 1_234);
  equal(await second.listing("train", ""), null);
  second.setSilentSince("train", null);
  await clock.settle();
  equal(await first.silentSinceMs("train"), null);
});

Deno.test("where the disk of the cache fails nothing is known", async () => {
  await using at = await NamesPlace.open();
  const clock = new FakeClock();
  const known = at.names(clock);
  at.isBroken = true;
  equal(await known.listing("train", "d"), null);
  equal(at.failures.length, 1);
  const calls = at.calls.length;
  known.keep("train", "d", names(1, () => ok(false, "It was not kept")));
  equal(await known.cached("train", "d", null), null);
  equal(await known.cachedAt("train", "d"), null);
  equal(await known.silentSinceMs("train"), null);
  await clock.advance(2_000);
  equal(at.calls.length, calls);
  deepEqual(at.errors, []);
});
