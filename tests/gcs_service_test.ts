/** What the Cloud Storage backend and a real server make of each other: names, pages, versions. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  bytesOf,
  failsWith,
  listAll,
  namesOf,
  never,
  patternOf,
  put,
  read,
} from "./support/backend_calls.ts";
import { type FakeGcs, startFakeGcs } from "./support/fake_gcs.ts";
import { gcsSourceAt, openGcs } from "./support/gcs_place.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { startTlsFront } from "./support/tls_front.ts";

const BUCKET = "service";

let running: FakeGcs | null = null;
Deno.test.beforeAll(async () => {
  running = await startFakeGcs();
  await running.createBucket(BUCKET);
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

function server(): FakeGcs {
  if (running === null) throw new Error("The server has not been started");
  return running;
}

Deno.test("GcsBackend says that a bucket does not exist", async () => {
  await using backend = openGcs(gcsSourceAt(server().endpoint, "nowhere"));
  for (
    const operation of [
      () => backend.list("", null, never),
      () => backend.stat("object", never),
      () => put(backend, "object", bytesOf("x")),
    ]
  ) {
    const error = await failsWith("not_found", operation());
    assert.match(error.message, /the service answered 404/);
  }
  const error = await failsWith("not_found", backend.list("", null, never));
  assert.match(error.message, /there is no bucket "nowhere"/);
  assert.match(error.hint ?? "", /the bucket/);
});

Deno.test("GcsBackend lists a directory of more than 10,000 keys completely and once", async () => {
  const count = 10_050;
  await using files = await startFakeGcs("files");
  await files.createBucket("many");
  const name = (index: number) => `d/${String(index).padStart(6, "0")} +%`;
  await files.upload("many", name(0), bytesOf("x"));
  // To this server an object is a file with attributes, which links share: uploads take minutes.
  for (let index = 1; index < count; index += 1) {
    await Deno.link(`${files.root}/many/${name(0)}`, `${files.root}/many/${name(index)}`);
  }
  await using backend = openGcs(gcsSourceAt(files.endpoint, "many"));
  const pages = await listAll(backend, "d");
  assert.equal(pages.length, 11);
  const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
  assert.equal(names.length, count);
  assert.equal(new Set(names).size, count);
  assert.equal(names.at(-1), "010049 +%");
});

Deno.test("GcsBackend maps keys that are no paths as the documentation says", async () => {
  await server().createBucket("keys");
  const keys = ["a", "a/b", "dir/", "..", "../up", "x/../y", "x//z", "/root", "x/shown", "x/./w"];
  for (const key of keys) await server().upload("keys", key, bytesOf(key));
  await using backend = openGcs(gcsSourceAt(server().endpoint, "keys"));
  assert.deepEqual(await namesOf(backend, ""), ["directory a", "directory dir", "directory x"]);
  assert.deepEqual(await namesOf(backend, "a"), ["object b"]);
  assert.deepEqual(await namesOf(backend, "dir"), []);
  assert.deepEqual(await namesOf(backend, "x"), ["object shown"]);
  const unlistable = async (directory: string) =>
    (await listAll(backend, directory)).reduce((sum, page) => sum + page.unlistable, 0);
  // "..", "../", "/" here, and "../", "/", "./" there.
  assert.equal(await unlistable(""), 3);
  assert.equal(await unlistable("x"), 3);
  assert.equal(await backend.stat("..", never), null);
  assert.equal(await backend.stat("x/../y", never), null);
  assert.equal((await backend.stat("dir", never))?.kind, "directory");
  await failsWith("invalid", put(backend, "x//z", bytesOf("x")));
});

Deno.test("GcsBackend knows the same bytes written again as another version", async () => {
  await using backend = openGcs(gcsSourceAt(server().endpoint, BUCKET));
  const bytes = patternOf(9 * 1024 * 1024, 1);
  const stored = await put(backend, "again", bytes);
  assert.deepEqual(await backend.stat("again", never), stored);
  const again = await put(backend, "again", bytes);
  assert.notEqual(again.version, stored.version);
  assert.equal(again.etag, stored.etag, "of this server it is a hash of the bytes");
  await failsWith("changed", read(backend, "again", stored.version, 0, 10));
  const tail = await read(backend, "again", again.version, 8_388_600, 16);
  assert.deepEqual(tail, bytes.subarray(8_388_600, 8_388_616));
});

Deno.test("GcsBackend reads what is stored compressed as it is stored", async () => {
  await using backend = openGcs(gcsSourceAt(server().endpoint, BUCKET));
  const bytes = new Uint8Array(gzipSync(patternOf(300_000, 2)));
  await server().upload(BUCKET, "compressed", bytes, { contentEncoding: "gzip" });
  const entry = await backend.stat("compressed", never);
  assert.ok(entry?.kind === "object");
  assert.equal(entry.sizeBytes, bytes.length);
  const half = Math.floor(bytes.length / 2);
  if (Deno.version.deno.startsWith("2.6.")) {
    const error = await failsWith("invalid", read(backend, "compressed", entry.version, 0, half));
    assert.match(error.message, /Content-Encoding/);
    return;
  }
  const parts = [
    await read(backend, "compressed", entry.version, 0, half),
    await read(backend, "compressed", entry.version, half, bytes.length - half),
  ];
  assert.deepEqual(new Uint8Array(await new Blob(parts).arrayBuffer()), bytes);
});

Deno.test("GcsBackend reads sparse objects of 10 GiB at any place", async () => {
  await using files = await startFakeGcs("files");
  await files.createBucket(BUCKET);
  await using backend = openGcs(gcsSourceAt(files.endpoint, BUCKET));
  await put(backend, "sparse", bytesOf("begin"));
  // This server keeps an object as a file: made longer, it has all its zeros.
  const sizeBytes = 10 * 1024 ** 3;
  await Deno.truncate(`${files.root}/${BUCKET}/sparse`, sizeBytes);
  const entry = await backend.stat("sparse", never);
  assert.ok(entry?.kind === "object");
  assert.equal(entry.sizeBytes, sizeBytes);
  const { version } = entry;
  assert.deepEqual(await read(backend, "sparse", version, 0, 5), bytesOf("begin"));
  assert.deepEqual(await read(backend, "sparse", version, sizeBytes - 9, 9), new Uint8Array(9));
});

Deno.test("GcsBackend trusts the certificates of its settings, and no others", async () => {
  await using authority = await createTestAuthority();
  await using front = await startTlsFront(server().endpoint, authority);
  const source = gcsSourceAt(front.endpoint, BUCKET);
  const caCertificates = await Deno.readTextFile(authority.authorityFile);
  await using trusting = openGcs({ ...source, caCertificates });
  const { version } = await put(trusting, "trusted", bytesOf("hello"));
  assert.deepEqual(await read(trusting, "trusted", version, 0, 5), bytesOf("hello"));
  await using other = openGcs(source);
  const error = await failsWith("unavailable", read(other, "trusted", version, 0, 5));
  assert.match(error.message, /certificate of 127\.0\.0\.1:\d+ is not trusted/);
});

Deno.test("GcsBackend shows nothing of a put that its caller gave up", async () => {
  await using backend = openGcs(gcsSourceAt(server().endpoint, BUCKET));
  const controller = new AbortController();
  const reason = new Error("No longer wanted");
  const content = {
    sizeBytes: 20 * 1024 * 1024,
    async *open() {
      yield patternOf(9 * 1024 * 1024, 1);
      controller.abort(reason);
      yield await Promise.resolve(patternOf(11 * 1024 * 1024, 2));
    },
  };
  await assert.rejects(backend.put("given up", content, controller.signal), reason);
  assert.equal(await backend.stat("given up", never), null);
});
