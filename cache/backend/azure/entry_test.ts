import assert from "node:assert/strict";
import type { BlobItem } from "@azure/storage-blob";
import { listPage } from "./entry.ts";

function blob(name: string, metadata: Record<string, string> = {}): BlobItem {
  return {
    name,
    deleted: false,
    snapshot: "",
    metadata,
    properties: { etag: "0x1", contentLength: 3, lastModified: new Date(1_500) },
  };
}

Deno.test("listPage shows objects and prefixes by their last segment", () => {
  const page = listPage("d/", [{ name: "d/sub/" }], [blob("d/file")], "token");
  assert.deepEqual(page, {
    entries: [
      {
        kind: "object",
        name: "file",
        sizeBytes: 3,
        modified: { seconds: 1, nanoseconds: 500_000_000 },
        version: "0x1",
        etag: "0x1",
        posix: null,
      },
      { kind: "directory", name: "sub", modified: null, posix: null },
    ],
    next: "token",
    unlistable: 0,
  });
});

Deno.test("listPage takes marker objects for directories, however their case came through", () => {
  const page = listPage(
    "",
    [{ name: "marked/" }],
    [blob("marked", { hdi_isfolder: "true" }), blob("alone", { Hdi_isfolder: "True" })],
    "",
  );
  const modified = { seconds: 1, nanoseconds: 500_000_000 };
  assert.deepEqual(page.entries, [
    { kind: "directory", name: "marked", modified, posix: null },
    { kind: "directory", name: "alone", modified, posix: null },
  ]);
  assert.equal(page.next, null);
});

Deno.test("listPage lets a directory shadow an object, and counts what it cannot show", () => {
  const long = "x".repeat(256);
  const page = listPage(
    "d/",
    [{ name: "d/both/" }, { name: "d//" }, { name: "d/../" }],
    [blob("d/"), blob("d/both"), blob(`d/${long}`), blob("d/.")],
    undefined,
  );
  assert.deepEqual(page.entries.map(({ kind, name }) => `${kind} ${name}`), ["directory both"]);
  assert.equal(page.unlistable, 4);
});
