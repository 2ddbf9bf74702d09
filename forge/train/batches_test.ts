import assert from "node:assert/strict";
import { batches, classOf } from "./batches.ts";
import { FEATURES } from "./features.ts";
import type { SampleChunk } from "./shard_messages.ts";

/** A chunk of samples numbered from `first`; sample n is all bytes n and has label n. */
function chunk(first: number, count: number): SampleChunk {
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  return {
    keys: numbers.map(String),
    features: Uint8Array.from(numbers.flatMap((number) => new Array(FEATURES).fill(number))),
    labels: Float64Array.from(numbers),
  };
}

async function* stream(...chunks: readonly SampleChunk[]): AsyncGenerator<SampleChunk> {
  yield* await Promise.resolve(chunks);
}

Deno.test("batches cuts chunks into batches without losing or moving a sample", async () => {
  const all = await Array.fromAsync(batches(stream(chunk(0, 3), chunk(3, 7), chunk(10, 2)), 4));
  assert.deepEqual(all.map(({ keys }) => keys.join(" ")), ["0 1 2 3", "4 5 6 7", "8 9 10 11"]);
  for (const [index, { features, labels }] of all.entries()) {
    assert.deepEqual([...labels], [0, 1, 2, 3].map((sample) => classOf(index * 4 + sample)));
    assert.deepEqual(
      [0, 1, 2, 3].map((sample) => features[sample * FEATURES + 100]),
      [0, 1, 2, 3].map((sample) => index * 4 + sample),
    );
  }
});

Deno.test("classOf makes a class of any label", () => {
  assert.deepEqual([-5, 0, 9, 10, 123].map(classOf), [0, 0, 9, 0, 3]);
});
