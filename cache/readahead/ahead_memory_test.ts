import { deepEqual, equal } from "node:assert/strict";
import { AheadMemory } from "./ahead_memory.ts";
import { Fetch } from "../fetch/fetch.ts";

/** Keeps `names`, 100 bytes each, and notes which were let go. */
function keep(memory: AheadMemory, names: readonly string[]) {
  const gone: string[] = [];
  const fetches = names.map((name) => {
    const fetch = new Fetch(name, "v1", 0, 100, "readahead");
    const kept = memory.keep(fetch).then(() => gone.push(name));
    return { fetch, kept };
  });
  return { gone, fetches: fetches.map(({ fetch }) => fetch), kept: fetches.map((of) => of.kept) };
}

Deno.test("AheadMemory lets the oldest go when there is too much", async () => {
  const memory = new AheadMemory(250);
  const { gone, fetches, kept } = keep(memory, ["a", "b", "c", "d"]);
  await Promise.all(kept.slice(0, 2));
  deepEqual(gone, ["a", "b"]);
  equal(memory.bytes, 200);
  const [, , third] = fetches;
  if (third !== undefined) memory.drop(third);
  await kept[2];
  deepEqual(gone, ["a", "b", "c"]);
  equal(memory.bytes, 100);
  if (third !== undefined) memory.drop(third);
  equal(memory.bytes, 100);
});

Deno.test("AheadMemory that was closed keeps nothing, and nobody waits for it", async () => {
  const memory = new AheadMemory(1_000);
  const before = keep(memory, ["a", "b"]);
  memory.close();
  await Promise.all(before.kept);
  await Promise.all(keep(memory, ["late"]).kept);
  equal(memory.bytes, 0);
});
