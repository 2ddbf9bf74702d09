import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { ObjectEntry } from "../backend/backend.ts";
import { fileKeyOf, PlanFiles } from "./plan_files.ts";

function entry(name: string, version: string): ObjectEntry {
  const modified = { seconds: 1_700_000_000, nanoseconds: 5 };
  return { kind: "object", name, sizeBytes: 12, version, etag: version, modified, posix: null };
}

Deno.test("a file is known by backend and path, and has one number", () => {
  const files = new PlanFiles();
  const a = { backend: "x", path: "train/a.tar" };
  equal(files.add(a), 0);
  equal(files.add({ backend: "y", path: "train/a.tar" }), 1);
  equal(files.add({ backend: "x", path: "root.tar" }), 2);
  equal(files.add(a), 0);
  equal(files.count, 3);
  deepEqual(files.at(0), a);
  deepEqual(files.at(2), { backend: "x", path: "root.tar" });
  equal(files.find(fileKeyOf(a)), 0);
  equal(files.find(fileKeyOf({ backend: "x", path: "train/b.tar" })), null);
  deepEqual(files.directory(files.directoryOf(1)), { backend: "y", path: "train" });
});

Deno.test("what was found comes back, and what it replaces is told", () => {
  const files = new PlanFiles();
  const file = files.add({ backend: "x", path: "train/a.tar" });
  equal(files.state(file), "unknown");
  equal(files.found(file, entry("a.tar", "v1")), null);
  deepEqual(files.entryOf(file), entry("a.tar", "v1"));
  const first = files.objectOf(file);
  equal(files.found(file, entry("a.tar", "v1")), null);
  equal(files.found(file, entry("a.tar", "v2")), first);
  notEqual(files.objectOf(file), first);
  equal(files.notFound(file, "missing") === null, false);
  equal(files.entryOf(file), null);
  equal(files.sizeOf(file), 0);
});

Deno.test("a hundred thousand files take less than 200 bytes each", () => {
  const files = new PlanFiles();
  for (let index = 0; index < 100_000; index += 1) {
    const name = `sample-${String(index).padStart(8, "0")}.jpg`;
    const file = files.add({ backend: "x", path: `train/class-${index % 1_000}/${name}` });
    files.found(file, entry(name, `0x8DD${index}ABCDEF`));
  }
  ok(files.sizeBytes < 200 * 100_000, `${files.sizeBytes} bytes`);
  equal(files.directoryCount, 1_000);
  equal(files.at(54_321).path, "train/class-321/sample-00054321.jpg");
});
