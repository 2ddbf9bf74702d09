import { deepEqual, equal } from "node:assert/strict";
import { printedRows } from "../../tests/support/printed.ts";
import { newObject } from "../../tests/support/cached_rows.ts";
import { STALE_ANSWER, staleAnswer } from "../api_stale.ts";
import { STALE_COLUMNS } from "./stale.ts";

const MIB = 1 << 20;
const READ_MS = Date.UTC(2026, 8, 1, 12, 0, 0);
const { objects, more } = STALE_ANSWER.parse(staleAnswer({
  rows: [
    { ...newObject("old/shard-0.tar"), id: 1, cachedBytes: 40 * MIB, lastAccessMs: READ_MS },
    { ...newObject("=x\n"), id: 2, cachedBytes: MIB, lastAccessMs: READ_MS + 1, pinned: true },
  ],
  more: true,
}));

Deno.test("stale prints what nobody has read, the longest unread first", () => {
  equal(more, true);
  equal(
    printedRows(objects, STALE_COLUMNS, "table"),
    `\
BACKEND  PATH               SIZE         LAST MODIFIED           LAST ACCESS  CACHED  PINNED
train    old/shard-0.tar  40 MiB  2023-11-14 22:13:20Z  2026-09-01 12:00:00Z  40 MiB  no
train    =x\\n             40 MiB  2023-11-14 22:13:20Z  2026-09-01 12:00:00Z   1 MiB  yes
`,
  );
});

Deno.test("stale prints the columns of the founding documents first in CSV", () => {
  equal(
    printedRows(objects, STALE_COLUMNS, "csv"),
    `\
backend,path,size_bytes,last_modified,last_access,cached_bytes,pinned
train,old/shard-0.tar,41943040,2023-11-14T22:13:20.000Z,2026-09-01T12:00:00.000Z,41943040,no
train,'=x\\n,41943040,2023-11-14T22:13:20.000Z,2026-09-01T12:00:00.001Z,1048576,yes
`,
  );
});

Deno.test("stale prints JSON with plain bytes", () => {
  deepEqual(JSON.parse(printedRows(objects, STALE_COLUMNS, "json"))[1], {
    ...{ backend: "train", path: "=x\n", size_bytes: 40 * MIB, cached_bytes: MIB, pinned: "yes" },
    ...{ last_modified: "2023-11-14T22:13:20.000Z", last_access: "2026-09-01T12:00:00.001Z" },
  });
});
