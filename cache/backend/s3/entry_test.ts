import assert from "node:assert/strict";
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { listPage } from "./entry.ts";

/** A listing of `keys` and `prefixes` as the service encodes them. */
function answer(keys: readonly string[], prefixes: readonly string[]): ListObjectsV2CommandOutput {
  return {
    $metadata: {},
    EncodingType: "url",
    IsTruncated: false,
    Contents: keys.map((Key) => ({
      Key,
      ETag: '"abc-3"',
      Size: 3,
      LastModified: new Date(1_750),
    })),
    CommonPrefixes: prefixes.map((Prefix) => ({ Prefix })),
  };
}

function shown(page: ReturnType<typeof listPage>): string[] {
  return page.entries.map(({ kind, name }) => `${kind} ${name}`);
}

Deno.test("listPage shows objects and prefixes by their last segment", () => {
  const page = listPage("d/", {
    ...answer(["d/file"], ["d/sub/"]),
    IsTruncated: true,
    NextContinuationToken: "token",
  });
  assert.deepEqual(page, {
    entries: [
      {
        kind: "object",
        name: "file",
        sizeBytes: 3,
        // HEAD knows whole seconds only.
        modified: { seconds: 1, nanoseconds: 0 },
        version: "abc-3",
        etag: "abc-3",
        posix: null,
      },
      { kind: "directory", name: "sub", modified: null, posix: null },
    ],
    next: "token",
    unlistable: 0,
  });
});

Deno.test("listPage decodes keys as forms are, where the service says it encoded them", () => {
  const encoded = answer(["a+b%2Bc%25%0A%C3%BC"], ["p+q%26/"]);
  assert.deepEqual(shown(listPage("", encoded)), ["object a b+c%\nü", "directory p q&"]);
  const { EncodingType: _, ...plain } = encoded;
  assert.deepEqual(shown(listPage("", plain)), ["object a+b%2Bc%25%0A%C3%BC", "directory p+q%26"]);
});

Deno.test("listPage lets a directory shadow an object, and counts what it cannot show", () => {
  const long = "x".repeat(256);
  const listing = answer(["d/", "d/both", `d/${long}`, "d/."], ["d/both/", "d//", "d/../"]);
  const page = listPage("d/", listing);
  assert.deepEqual(shown(page), ["directory both"]);
  assert.equal(page.unlistable, 4);
});

Deno.test("listPage ends where the service says so, whatever token it gives", () => {
  const page = listPage("", { ...answer(["a"], []), NextContinuationToken: "token" });
  assert.equal(page.next, null);
});
