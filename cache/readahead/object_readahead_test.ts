import { deepEqual, equal } from "node:assert/strict";
import { AheadMemory } from "./ahead_memory.ts";
import { Fetch, type FetchPriority } from "../fetch/fetch.ts";
import { ReadAhead } from "./object_readahead.ts";

const BLOCK = 1 << 20;
const WINDOW = {
  blockBytes: BLOCK,
  windowBlocksStart: 2,
  windowBlocksMax: 4,
  windowBlocksLimit: 4,
};

function readAhead(blocks: number) {
  const counted = { hits: 0 };
  const metrics = { readaheadHit: (hit: number) => counted.hits += hit };
  const memory = new AheadMemory(10 * BLOCK);
  return { counted, memory, ahead: new ReadAhead(blocks * BLOCK - 7, WINDOW, metrics, memory) };
}

function fetchOf(block: number, blocks = 1, priority: FetchPriority = "readahead"): Fetch {
  return new Fetch("a", "v1", block * BLOCK, blocks * BLOCK, priority);
}

Deno.test("ReadAhead asks for what follows a read, and not behind the object", () => {
  const { ahead } = readAhead(4);
  equal(ahead.observe(0, 1_000, false), null);
  const span = ahead.observe(1_000, 1_000, false);
  deepEqual(span, { startBytes: 2_000, endBytes: 3 * BLOCK });
  deepEqual(ahead.observe(BLOCK, 1_000, false), { startBytes: 3 * BLOCK, endBytes: 4 * BLOCK - 7 });
  equal(ahead.observe(BLOCK + 1_000, 1_000, false), null);
});

Deno.test("ReadAhead asks again for what there was no room for", () => {
  const { ahead } = readAhead(10);
  const span = ahead.observe(0, BLOCK, false);
  deepEqual(span, { startBytes: BLOCK, endBytes: 3 * BLOCK });
  ahead.notFetched(BLOCK);
  const again = ahead.observe(BLOCK, 1_000, false);
  deepEqual(again, { startBytes: BLOCK + 1_000, endBytes: 5 * BLOCK });
});

Deno.test("ReadAhead counts a block a hit once, and knows what was never read", () => {
  const { ahead, counted } = readAhead(10);
  ahead.started(fetchOf(2, 3));
  ahead.started(fetchOf(7, 1, "demand"));
  for (const offset of [2 * BLOCK, 2 * BLOCK + 10, 7 * BLOCK]) ahead.observe(offset, 10, false);
  equal(counted.hits, 1);
  const unread = ahead.takeUnread();
  deepEqual(unread, [3, 4]);
  deepEqual(ahead.takeUnread(), []);
  ahead.resume(unread);
  ahead.observe(4 * BLOCK, 10, false);
  equal(counted.hits, 2);
  ahead.usedAll();
  equal(counted.hits, 3);
  deepEqual(ahead.takeUnread(), []);
});

Deno.test("ReadAhead keeps what may not be written until all of it was read", async () => {
  const { ahead, memory } = readAhead(10);
  // A reader that waited for all of it has it already.
  const used = fetchOf(0, 1, "demand");
  ahead.used(used, BLOCK);
  await ahead.keepUntilUsed(used);
  const fetch = fetchOf(1);
  const kept = ahead.keepUntilUsed(fetch);
  equal(memory.bytes, BLOCK);
  ahead.used(fetch, BLOCK - 1);
  equal(memory.bytes, BLOCK);
  ahead.used(fetch, BLOCK);
  await kept;
  equal(memory.bytes, 0);
  const dropped = fetchOf(2);
  const other = ahead.keepUntilUsed(dropped);
  ahead.drop(dropped);
  await other;
  equal(memory.bytes, 0);
});

Deno.test("ReadAhead looks further ahead when a reader waits for a first byte", () => {
  const metrics = { readaheadHit: () => undefined };
  const settings = { ...WINDOW, windowBlocksLimit: 16 };
  const ahead = new ReadAhead(100 * BLOCK, settings, metrics, new AheadMemory(0));
  deepEqual(ahead.observe(0, BLOCK, true), { startBytes: BLOCK, endBytes: 3 * BLOCK });
  ahead.started(fetchOf(1, 2));
  equal(ahead.observe(BLOCK, BLOCK, true)?.endBytes, 6 * BLOCK);
  // The next one was not fetched ahead: that it is awaited says nothing.
  equal(ahead.observe(3 * BLOCK, BLOCK, true)?.endBytes, 8 * BLOCK);
});
