import { deepEqual, equal } from "node:assert/strict";
import { printedRows } from "../../tests/support/printed.ts";
import { STATS_ANSWER, statsAnswer } from "../api_stats.ts";
import { STATS_COLUMNS, statsRows } from "./stats.ts";

const MIB = 1 << 20;
const IMAGES = {
  ...{ backend: "images", hits: 90, misses: 10, fetchedBytes: 40 * MIB, evictedBlocks: 3 },
  ...{ readaheadHitBlocks: 8, readaheadWastedBlocks: 1, corruptions: 0 },
};
const OLD = { ...IMAGES, backend: "old", hits: 0, misses: 0, fetchedBytes: 0, corruptions: 2 };
const USAGE = [
  { backend: "images", uid: 0, objects: 2, cachedBytes: 5 * MIB },
  { backend: "images", uid: 7, objects: 1_000, cachedBytes: MIB },
];
const AT_START = [{ ...IMAGES, hits: 60, misses: 10 }, OLD];

/** Rows of a mount that was started after `AT_START`, or of a cache nobody uses. */
function rows(atStart: typeof AT_START | null) {
  const answer = statsAnswer({ usage: USAGE, counts: [IMAGES, OLD], atStart });
  return statsRows(STATS_ANSWER.parse(answer));
}

Deno.test("stats prints each backend and all of them, since the start and over restarts", () => {
  equal(
    printedRows(rows(AT_START), STATS_COLUMNS, "table"),
    `\
PERIOD  BACKEND  ENTRIES  BYTES  HITS  MISSES  HIT RATE  EVICTIONS  AHEAD  WASTED  CORRUPT  FETCHED
start   images     1,002  6 MiB    30       0    100.0%          0      0       0        0      0 B
start   old            0    0 B     0       0         -          0      0       0        0      0 B
start   (all)      1,002  6 MiB    30       0    100.0%          0      0       0        0      0 B
all     images     1,002  6 MiB    90      10     90.0%          3      8       1        0   40 MiB
all     old            0    0 B     0       0         -          3      8       1        2      0 B
all     (all)      1,002  6 MiB    90      10     90.0%          6     16       2        2   40 MiB
`,
  );
});

Deno.test("stats prints plain numbers in CSV, and knows no start where no mount runs", () => {
  equal(
    printedRows(rows(null), STATS_COLUMNS, "csv"),
    `\
period,backend,entries,cached_bytes,hits,misses,hit_percent,evicted_blocks,\
readahead_hit_blocks,readahead_wasted_blocks,corruptions,fetched_bytes
all,images,1002,6291456,90,10,90,3,8,1,0,41943040
all,old,0,0,0,0,,3,8,1,2,0
all,(all),1002,6291456,90,10,90,6,16,2,2,41943040
`,
  );
});

Deno.test("stats prints JSON with a null for a rate of nothing", () => {
  const [, row] = JSON.parse(printedRows(rows(AT_START), STATS_COLUMNS, "json"));
  deepEqual(row, {
    ...{ period: "start", backend: "old", entries: 0, cached_bytes: 0, hits: 0, misses: 0 },
    ...{ hit_percent: null, evicted_blocks: 0, readahead_hit_blocks: 0 },
    ...{ readahead_wasted_blocks: 0, corruptions: 0, fetched_bytes: 0 },
  });
});

Deno.test("stats of an index that began anew counts from there", () => {
  const fewer = [{ ...IMAGES, hits: 100 }];
  const [first] = rows(fewer);
  deepEqual([first?.counts.hits, first?.counts.misses], [0, 0]);
});

Deno.test("stats of an empty cache is a row of nothing", () => {
  const empty = statsRows(statsAnswer({ usage: [], counts: [], atStart: [] }));
  deepEqual(empty.map(({ period, backend, objects }) => [period, backend, objects]), [
    ["start", "(all)", 0],
    ["all", "(all)", 0],
  ]);
});
