import { deepEqual, equal, rejects } from "node:assert/strict";
import { BLOCKS_MAX, type ByteSpan, eachBlock } from "./fetch_window.ts";

const BLOCK = 100;

/** Fetches that end when the test says so. */
function held() {
  const begun: ByteSpan[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const fetch = (block: ByteSpan) => {
    begun.push(block);
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  return { begun, ends, fetch };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

Deno.test("eachBlock cuts a range where blocks do", async () => {
  const { begun, ends, fetch } = held();
  const done = eachBlock({ offset: 30, end: 250 }, BLOCK, fetch);
  deepEqual(begun, [
    { offset: 30, end: 100 },
    { offset: 100, end: 200 },
    { offset: 200, end: 250 },
  ]);
  for (const { resolve } of ends) resolve();
  await done;
});

Deno.test("eachBlock begins the next block when one is there, and never more at once", async () => {
  const { begun, ends, fetch } = held();
  const blocks = 5 * BLOCKS_MAX;
  const done = eachBlock({ offset: 0, end: blocks * BLOCK }, BLOCK, fetch);
  equal(begun.length, BLOCKS_MAX);
  ends[3]?.resolve();
  await settle();
  equal(begun.length, BLOCKS_MAX + 1);
  while (begun.length < blocks) {
    for (const { resolve } of ends) resolve();
    await settle();
  }
  for (const { resolve } of ends) resolve();
  await done;
  equal(begun.length, blocks);
});

Deno.test("eachBlock begins nothing more when a block fails", async () => {
  const { begun, ends, fetch } = held();
  const done = eachBlock({ offset: 0, end: 50 * BLOCK }, BLOCK, fetch);
  const failed = rejects(done, /Cannot fetch/);
  ends[0]?.reject(new Error("Cannot fetch"));
  await settle();
  for (const { resolve } of ends) resolve();
  await failed;
  equal(begun.length, BLOCKS_MAX);
});
