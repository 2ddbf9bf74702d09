import { deepEqual, equal, rejects } from "node:assert/strict";
import { storeChecksums, storeDigest } from "./store_checksums.ts";

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const NEVER = new AbortController().signal;

/** Files whose store says `values` of them. */
function store(values: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  return {
    asked,
    attributeLater(path: string, name: string) {
      asked.push(path);
      const value = name === "user.warpdrive.checksum" ? values[path] : undefined;
      return Promise.resolve(value === undefined ? null : new TextEncoder().encode(value));
    },
  };
}

const files = (...paths: string[]) => paths.map((path) => ({ path, sizeBytes: 1 }));

Deno.test("storeDigest is what the first file with a checksum has", async () => {
  const reader = store({ "/b": `sha256:${"a".repeat(64)}`, "/c": `md5:${MD5}` });
  equal(await storeDigest(files("/a", "/b", "/c"), reader), "sha256");
  equal(await storeDigest(files("/a"), reader), null);
  equal(await storeDigest(files("/a"), store({ "/a": "crc64:00" })), null);
});

Deno.test("storeChecksums asks once for each file, and keeps to one kind", async () => {
  const reader = store({ "/a": `md5:${MD5}`, "/b": `sha256:${"a".repeat(64)}` });
  const expected = await storeChecksums(["/a", "/b", "/a", "/c"], "md5", reader, NEVER);
  deepEqual([...expected], [["/a", MD5]]);
  deepEqual(reader.asked.toSorted(), ["/a", "/b", "/c"]);
});

Deno.test("storeChecksums ends when it is told to", async () => {
  const reason = new Error("Stopped");
  await rejects(storeChecksums(["/a"], "md5", store({}), AbortSignal.abort(reason)), reason);
});
