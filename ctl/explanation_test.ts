import { deepEqual, equal } from "node:assert/strict";
import { printed } from "../tests/support/printed.ts";
import { EXPLAIN_ANSWER, type Explanation } from "./api_explain.ts";
import { explanationSections } from "./explanation.ts";
import { type Format, printReport } from "./output/format.ts";

const MIB = 1 << 20;
const EXPLANATION: Explanation = EXPLAIN_ANSWER.parse({
  ...{ path: "/mnt/data/images/a.tar", backend: "images", key: "a.tar", kept: "cached" },
  store: {
    ...{ state: "found", reason: null, version: "0x8D2", size_bytes: 40 * MIB },
    modified: "2026-11-20T00:00:00.000Z",
  },
  next_open: { mode: "daemon", reason: "nothing of this version is cached" },
  versions: [{
    ...{ version: "0x8D1", size_bytes: 40 * MIB, modified: "2026-11-19T00:00:00.000Z" },
    ...{ cached_bytes: 4 * MIB, blocks: 10, blocks_present: 1, chunks: 320, chunks_present: 32 },
    ...{ chunks_verified: 32, last_access: "2026-11-22T19:35:37.000Z", uid: 1_001 },
    ...{ pinned: false, opens: 1, departure: "ranked", worth: 5 },
  }],
  open: [{ version: "0x8D1", mode: "cached", opens: 1 }],
  plans: [{ plan: "1", uid: 1_001, position: 7, next_read: null }],
  names: {
    directory_listed: "2026-11-22T19:00:00.000Z",
    ...{ silent_reason: null, silent_since: null },
  },
});

function as(format: Format, explanation: Explanation = EXPLANATION): string {
  return printed((stdout) => printReport(explanationSections(explanation), format, stdout))
    .replaceAll("\r\n", "\n");
}

Deno.test("explain prints a table for each thing that is known, for people", () => {
  equal(
    as("table"),
    `\
File
PATH              /mnt/data/images/a.tar
BACKEND           images
KEY               a.tar
KEPT              cached
OPENS AS          daemon
BECAUSE           nothing of this version is cached
DIRECTORY LISTED  2026-11-22 19:00:00Z

Store
STATE         found
VERSION       0x8D2
SIZE          40 MiB
MODIFIED      2026-11-20 00:00:00Z
SILENT SINCE  -
REASON        -

Cached
VERSION          0x8D1
SIZE             40 MiB
MODIFIED         2026-11-19 00:00:00Z
CACHED           4 MiB
BLOCKS           10
BLOCKS HERE      1
CHUNKS           320
CHUNKS HERE      32
CHUNKS VERIFIED  32
LAST ACCESS      2026-11-22 19:35:37Z
BROUGHT BY       1001
PINNED           no
READERS          1
LEAVES           ranked
WORTH            5

Open
VERSION  MODE    OPENS
0x8D1    cached      1

Plans
PLAN  USER ID  POSITION  NEXT READ
1        1001         7          -
`,
  );
});

Deno.test("explain prints one line of CSV for each value", () => {
  equal(
    as("csv", { ...EXPLANATION, versions: [] }),
    `\
section,item,field,value
file,,path,/mnt/data/images/a.tar
file,,backend,images
file,,key,a.tar
file,,kept,cached
file,,opens_as,daemon
file,,opens_as_reason,"nothing of this version is cached"
file,,directory_listed,2026-11-22T19:00:00.000Z
store,,state,found
store,,version,0x8D2
store,,size_bytes,41943040
store,,modified,2026-11-20T00:00:00.000Z
store,,silent_since,
store,,reason,
open,0x8D1,version,0x8D1
open,0x8D1,mode,cached
open,0x8D1,opens,1
plans,1,plan,1
plans,1,uid,1001
plans,1,position,7
plans,1,next_read,
`,
  );
});

Deno.test("explain prints JSON by table, with an array of what is cached", () => {
  const { file, cached, open, plans } = JSON.parse(as("json", { ...EXPLANATION, next_open: null }));
  deepEqual([file.opens_as, file.kept, cached.length], [null, "cached", 1]);
  deepEqual(cached[0], {
    ...EXPLANATION.versions[0],
    pinned: "no",
  });
  deepEqual(open, [{ version: "0x8D1", mode: "cached", opens: 1 }]);
  deepEqual(plans, [{ plan: "1", uid: 1_001, position: 7, next_read: null }]);
});
