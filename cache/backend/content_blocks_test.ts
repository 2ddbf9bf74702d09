import assert from "node:assert/strict";
import type { Content } from "./backend.ts";
import { blocksOf } from "./content_blocks.ts";
import { StoreFault } from "./store_fault.ts";
import { contentOf, never, patternOf } from "../../tests/support/backend_calls.ts";

/** Lengths of the blocks, the last one marked, and all their bytes. */
async function collect(content: Content, blockBytes: number) {
  const lengths: string[] = [];
  const bytes: number[] = [];
  for await (const { block, isLast } of blocksOf(content, blockBytes, never)) {
    lengths.push(`${block.length}${isLast ? " last" : ""}`);
    bytes.push(...block);
  }
  return { lengths, bytes: Uint8Array.from(bytes) };
}

Deno.test("blocksOf cuts a content into equal blocks and a last one", async () => {
  const bytes = patternOf(25, 1);
  const cases: [blockBytes: number, lengths: string[]][] = [
    [10, ["10", "10", "5 last"]],
    [5, ["5", "5", "5", "5", "5 last"]],
    [25, ["25 last"]],
    [100, ["25 last"]],
  ];
  for (const [blockBytes, lengths] of cases) {
    for (const pieces of [1, 3, 25]) {
      assert.deepEqual(await collect(contentOf(bytes, pieces), blockBytes), { lengths, bytes });
    }
  }
});

Deno.test("blocksOf gives one empty block of an empty content", async () => {
  const { lengths } = await collect(contentOf(new Uint8Array(0)), 10);
  assert.deepEqual(lengths, ["0 last"]);
});

Deno.test("blocksOf refuses contents that are not as long as announced", async () => {
  for (const sizeBytes of [24, 26]) {
    const content = { ...contentOf(patternOf(25, 1)), sizeBytes };
    await assert.rejects(collect(content, 10), (error) => {
      return error instanceof StoreFault && error.code === "invalid";
    });
  }
});
