import assert from "node:assert/strict";
import { type BenchFile, type Pattern, reads } from "./pattern.ts";

const FILES: readonly BenchFile[] = [10, 4, 0, 8].map((sizeBytes, index) => ({
  path: `/data/${index}`,
  sizeBytes,
}));

/** The first `count` reads as "file:offset+length". */
function first(
  pattern: Pattern,
  reader: number,
  readers: number,
  count: number,
  seed = 1,
): string[] {
  const endless = reads(pattern, FILES, 4, { reader, readers, seed });
  return Array.from({ length: count }, () => {
    const { file, offset, lengthBytes } = endless.next();
    return `${file}:${offset}+${lengthBytes}`;
  });
}

Deno.test("reads goes through all files in turn, each reader from one of its own", () => {
  assert.deepEqual(first("sequential", 0, 2, 5), ["0:0+4", "0:4+4", "0:8+2", "1:0+4", "3:0+4"]);
  assert.deepEqual(first("sequential", 1, 2, 4), ["1:0+4", "3:0+4", "3:4+4", "0:0+4"]);
  assert.deepEqual(first("sequential", 5, 8, 3), ["1:0+4", "3:0+4", "3:4+4"]);
});

Deno.test("reads shuffles alike for all readers, so that an epoch is every file once", () => {
  const everything = [0, 1].flatMap((reader) => {
    const mine: string[] = [];
    const endless = reads("shuffled-shards", FILES.slice(0, 2), 4, { reader, readers: 2, seed: 5 });
    let file = -1;
    for (;;) {
      const next = endless.next();
      if (next.offset === 0 && file >= 0) break;
      file = next.file;
      mine.push(`${next.file}:${next.offset}`);
    }
    return mine;
  });
  assert.deepEqual(everything.toSorted(), ["0:0", "0:4", "0:8", "1:0"]);
});

Deno.test("reads draws every chunk of every file, and nothing else", () => {
  const drawn = new Set(first("random", 0, 1, 500));
  assert.deepEqual([...drawn].toSorted(), ["0:0+4", "0:4+4", "0:8+2", "1:0+4", "3:0+4", "3:4+4"]);
  assert.notDeepEqual(first("random", 0, 2, 20), first("random", 1, 2, 20));
});

Deno.test("reads depends on the seed alone", () => {
  for (const pattern of ["random", "shuffled-shards"] as const) {
    assert.deepEqual(first(pattern, 0, 2, 50), first(pattern, 0, 2, 50));
    assert.notDeepEqual(first(pattern, 0, 2, 50), first(pattern, 0, 2, 50, 2));
  }
});
