import { deepEqual, equal } from "node:assert/strict";
import { printedRows } from "../../tests/support/printed.ts";
import { USAGE_ANSWER, type UsageAnswer, usageAnswer } from "../api_usage.ts";
import { USAGE_COLUMNS, usageRows } from "./usage.ts";

const GIB = 1 << 30;
const READ_MS = Date.UTC(2026, 10, 22, 19, 35, 37, 250);

function answer(by: UsageAnswer["by"], groups: readonly (string | null)[], rest = 0) {
  return USAGE_ANSWER.parse(usageAnswer(by, {
    groups: groups.map((group, number) => ({
      group,
      backend: "images",
      objects: 1_500 - number,
      cachedBytes: GIB - number,
      lastAccessMs: READ_MS + number,
    })),
    rest: { objects: rest, cachedBytes: rest * GIB },
  }));
}

const NAMES: Readonly<Record<number, string>> = { 1001: "ada" };
const userName = (uid: number) => NAMES[uid] ?? null;
const PATHS = usageRows(answer("path", ["/mnt/data/images/train", "/mnt/data/a,b"], 2), userName);

Deno.test("usage prints a row for each directory, and names the scope of its bytes", () => {
  equal(
    printedRows(PATHS, USAGE_COLUMNS, "table"),
    `\
GROUP                   BACKEND  FILES     BYTES           LAST ACCESS  SCOPE
/mnt/data/images/train  images   1,500     1 GiB  2026-11-22 19:35:37Z  cached
/mnt/data/a,b           images   1,499  1024 MiB  2026-11-22 19:35:37Z  cached
(rest)                  -            2     2 GiB                     -  cached
`,
  );
});

Deno.test("usage prints bytes and times for programs in CSV", () => {
  equal(
    printedRows(PATHS, USAGE_COLUMNS, "csv"),
    `\
group,backend,files,bytes,last_access,scope
/mnt/data/images/train,images,1500,1073741824,2026-11-22T19:35:37.250Z,cached
"/mnt/data/a,b",images,1499,1073741823,2026-11-22T19:35:37.251Z,cached
(rest),,2,2147483648,,cached
`,
  );
});

Deno.test("usage prints users by name where they have one, in JSON too", () => {
  const rows = usageRows(answer("user", ["1001", "1002"]), userName);
  const parsed = JSON.parse(printedRows(rows, USAGE_COLUMNS, "json"));
  deepEqual(parsed[0], {
    ...{ group: "ada", backend: "images", files: 1_500, bytes: GIB },
    ...{ last_access: "2026-11-22T19:35:37.250Z", scope: "cached" },
  });
  equal(parsed[1].group, "1002");
});

Deno.test("usage names users alone: a backend called 1001 is none, and no team is no name", () => {
  const teams = usageRows(answer("team", [null, "vision"]), userName);
  deepEqual(teams.map(({ group }) => group), [null, "vision"]);
  deepEqual(usageRows(answer("backend", ["1001"]), userName).map(({ group }) => group), ["1001"]);
});
