import { deepEqual, equal, rejects } from "node:assert/strict";
import { storeChecksums, storeDigests } from "./store_checksums.ts";

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

Deno.test("storeDigests are the kinds that the files have", async () => {
  const sha256 = `sha256:${"a".repeat(64)}`;
  const reader = store({ "/b": sha256, "/c": "crc32c:e3069283", "/d": sha256 });
  deepEqual(await storeDigests(files("/a", "/b", "/c", "/d"), reader), ["sha256", "crc32c"]);
  deepEqual(await storeDigests(files("/a"), reader), []);
  deepEqual(await storeDigests(files("/a"), store({ "/a": "crc64:00" })), []);
});

Deno.test("storeDigests asks a few files only, from all over the list", async () => {
  const paths = Array.from({ length: 1_000 }, (_, index) => `/${index}`);
  const reader = store({ "/0": `md5:${MD5}`, "/999": "crc64nvme:ae8b14860a799888" });
  deepEqual(await storeDigests(files(...paths), reader), ["md5", "crc64nvme"]);
  equal(reader.asked.length, 16);
});

Deno.test("storeChecksums asks once for each file, and keeps to what was read", async () => {
  const known = { "/a": `md5:${MD5}`, "/b": `sha256:${"a".repeat(64)}`, "/c": "crc32:cbf43926" };
  const reader = store(known);
  const paths = ["/a", "/b", "/a", "/c", "/d"];
  const expected = await storeChecksums(paths, ["md5", "crc32"], reader, NEVER);
  deepEqual([...expected], [
    ["/a", { digest: "md5", hex: MD5 }],
    ["/c", { digest: "crc32", hex: "cbf43926" }],
  ]);
  deepEqual(reader.asked.toSorted(), ["/a", "/b", "/c", "/d"]);
});

Deno.test("storeChecksums ends when it is told to", async () => {
  const reason = new Error("Stopped");
  await rejects(storeChecksums(["/a"], ["md5"], store({}), AbortSignal.abort(reason)), reason);
});
