import { deepEqual } from "node:assert/strict";
import { openIndex } from "../../tests/support/cached_rows.ts";

Deno.test("BlockIndex adds up what is counted over all processes", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-counters-" });
  try {
    const counts = {
      ...{ backend: "b", hits: 1, misses: 2, fetchedBytes: 2 ** 40, evictedBlocks: 4 },
      ...{ readaheadHitBlocks: 5, readaheadWastedBlocks: 6, corruptions: 7 },
    };
    const first = openIndex(`${root}/index.sqlite`);
    deepEqual(first.counts(), []);
    first.count([counts, { ...counts, backend: "a", hits: 0 }]);
    first.close();
    const second = openIndex(`${root}/index.sqlite`);
    second.count([counts]);
    deepEqual(second.counts(), [
      { ...counts, backend: "a", hits: 0 },
      {
        ...{ backend: "b", hits: 2, misses: 4, fetchedBytes: 2 ** 41, evictedBlocks: 8 },
        ...{ readaheadHitBlocks: 10, readaheadWastedBlocks: 12, corruptions: 14 },
      },
    ]);
    second.close();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
