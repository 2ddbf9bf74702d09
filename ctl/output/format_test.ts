import { equal, throws } from "node:assert/strict";
import type { Column } from "./column.ts";
import { type Format, parseFormat, printRecord, printReport, printRows } from "./format.ts";
import { recordSection, rowsSection } from "./section.ts";
import { formatTable } from "./table.ts";

interface Sample {
  readonly path: string;
  readonly state: string | null;
  readonly bytes: number | null;
  readonly files: number;
  readonly hits: number;
  readonly readAtMs: number | null;
  readonly waitMs: number;
}

const COLUMNS: readonly Column<Sample>[] = [
  { key: "path", header: "PATH", kind: "text", value: ({ path }) => path },
  { key: "state", header: "STATE", kind: "state", value: ({ state }) => state },
  { key: "size_bytes", header: "SIZE", kind: "bytes", value: ({ bytes }) => bytes },
  { key: "files", header: "FILES", kind: "count", value: ({ files }) => files },
  { key: "hit_percent", header: "HITS", kind: "percent", value: ({ hits }) => hits },
  { key: "last_access", header: "LAST ACCESS", kind: "time", value: ({ readAtMs }) => readAtMs },
  { key: "wait_ms", header: "WAIT", kind: "duration", value: ({ waitMs }) => waitMs },
];

const ROWS: readonly Sample[] = [
  {
    path: "images/train/shard-000001.tar",
    state: "ok",
    bytes: 99_614_720,
    files: 26_163,
    hits: 97.46,
    readAtMs: Date.UTC(2026, 10, 22, 19, 35, 37, 250),
    waitMs: 1_500,
  },
  {
    path: 'a,"b"\n\x1b[31m',
    state: null,
    bytes: null,
    files: 0,
    hits: 100,
    readAtMs: null,
    waitMs: 3,
  },
  { path: "=1+1", state: "warn", bytes: 0, files: 1, hits: 0, readAtMs: 0, waitMs: 0 },
];

/** What `print` writes. */
function written(print: (stdout: Parameters<typeof printRows>[3]) => void): string {
  const texts: string[] = [];
  print({ isTerminal: false, write: (text) => void texts.push(text) });
  return texts.join("");
}

function rowsAs(format: Format, rows: readonly Sample[] = ROWS): string {
  return written((stdout) => printRows(rows, COLUMNS, format, stdout));
}

function recordAs(format: Format): string {
  const columns = COLUMNS.slice(0, 4);
  return written((stdout) =>
    ROWS.slice(0, 1).forEach((row) => printRecord(row, columns, format, stdout))
  );
}

Deno.test("a table is aligned, in units for people, and never cut where nobody looks", () => {
  equal(
    rowsAs("table"),
    `PATH                           STATE    SIZE   FILES    HITS           LAST ACCESS  WAIT
images/train/shard-000001.tar  ok     95 MiB  26,163   97.5%  2026-11-22 19:35:37Z  1.5s
a,"b"\\n\\x1b[31m                -           -       0  100.0%                     -   3ms
=1+1                           warn      0 B       1    0.0%  1970-01-01 00:00:00Z   0ms
`,
  );
});

Deno.test("JSON has plain numbers, times in ISO 8601, and null for what is not known", () => {
  equal(
    rowsAs("json"),
    `[
  {
    "path": "images/train/shard-000001.tar",
    "state": "ok",
    "size_bytes": 99614720,
    "files": 26163,
    "hit_percent": 97.46,
    "last_access": "2026-11-22T19:35:37.250Z",
    "wait_ms": 1500
  },
  {
    "path": "a,\\"b\\"\\n\\u001b[31m",
    "state": null,
    "size_bytes": null,
    "files": 0,
    "hit_percent": 100,
    "last_access": null,
    "wait_ms": 3
  },
  {
    "path": "=1+1",
    "state": "warn",
    "size_bytes": 0,
    "files": 1,
    "hit_percent": 0,
    "last_access": "1970-01-01T00:00:00.000Z",
    "wait_ms": 0
  }
]
`,
  );
});

Deno.test("CSV follows RFC 4180, and no spreadsheet finds a formula in it", () => {
  equal(
    rowsAs("csv"),
    [
      "path,state,size_bytes,files,hit_percent,last_access,wait_ms",
      "images/train/shard-000001.tar,ok,99614720,26163,97.46,2026-11-22T19:35:37.250Z,1500",
      '"a,""b""\\n\\x1b[31m",,,0,100,,3',
      "'=1+1,warn,0,1,0,1970-01-01T00:00:00.000Z,0",
      "",
    ].join("\r\n"),
  );
});

Deno.test("CSV guards every way a formula can begin, and can be undone", () => {
  const columns = COLUMNS.slice(0, 1);
  const csv = (path: string) =>
    written((stdout) =>
      printRows(ROWS.slice(0, 1).map((row) => ({ ...row, path })), columns, "csv", stdout)
    );
  for (const start of ["=", "+", "-", "@", "＝", "'"]) {
    equal(csv(`${start}x`), `path\r\n'${start}x\r\n`);
  }
  equal(csv("\t=x"), "path\r\n\\t=x\r\n");
  equal(csv("a;=x"), 'path\r\n"a;=x"\r\n');
});

Deno.test("one record is a line per field, one object, or one line of CSV", () => {
  equal(
    recordAs("table"),
    "PATH   images/train/shard-000001.tar\nSTATE  ok\nSIZE   95 MiB\nFILES  26,163\n",
  );
  equal(recordAs("json").startsWith('{\n  "path": "images'), true);
  equal(recordAs("csv").split("\r\n").length, 3);
});

Deno.test("nothing to show is a head in tables and CSV, and an empty array", () => {
  equal(rowsAs("table", []), "PATH  STATE  SIZE  FILES  HITS  LAST ACCESS  WAIT\n");
  equal(rowsAs("json", []), "[]\n");
  equal(rowsAs("csv", []).split("\r\n").length, 2);
});

Deno.test("a table on a terminal fits its width by cutting the middle of long texts", () => {
  const columns = COLUMNS.slice(0, 3);
  const table = formatTable(ROWS, columns, 34);
  equal(
    table,
    `PATH                 STATE    SIZE
images/tr…00001.tar  ok     95 MiB
a,"b"\\n\\x1b[31m      -           -
=1+1                 warn      0 B
`,
  );
});

Deno.test("a table keeps what can be read of a text, however narrow the terminal is", () => {
  const table = formatTable(ROWS, COLUMNS.slice(0, 2), 4);
  equal(table.split("\n")[1], "images/t…001.tar  ok");
});

Deno.test("a table aligns characters that take two columns", () => {
  const rows = ROWS.slice(0, 2).map((row, index) => ({
    ...row,
    path: index === 0 ? "数据" : "abcd",
  }));
  equal(formatTable(rows, COLUMNS.slice(0, 2), null), "PATH  STATE\n数据  ok\nabcd  -\n");
});

Deno.test("a report of no rows says so below each title, and has none in JSON and CSV", () => {
  const sections = [
    rowsSection("rows", "Rows", [], COLUMNS.slice(0, 1)),
    recordSection("record", "Record", null, COLUMNS.slice(0, 1)),
  ];
  const reportAs = (format: Format) => written((stdout) => printReport(sections, format, stdout));
  equal(reportAs("table"), "Rows\nnone\n\nRecord\nnone\n");
  equal(reportAs("json"), '{\n  "rows": [],\n  "record": null\n}\n');
  equal(reportAs("csv"), "section,item,field,value\r\n");
});

Deno.test("a report in CSV tells rows apart by what they begin with", () => {
  const report = [rowsSection("rows", "Rows", ROWS.slice(2), COLUMNS.slice(0, 3))];
  equal(
    written((stdout) => printReport(report, "csv", stdout)),
    [
      "section,item,field,value",
      "rows,'=1+1,path,'=1+1",
      "rows,'=1+1,state,warn",
      "rows,'=1+1,size_bytes,0",
      "",
    ].join("\r\n"),
  );
});

Deno.test("parseFormat takes three formats and no other", () => {
  equal(parseFormat("csv"), "csv");
  throws(() => parseFormat("xml"), /Cannot print as "xml": wanted table, json or csv/);
});
