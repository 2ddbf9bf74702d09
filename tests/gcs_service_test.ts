/** What is particular to Cloud Storage: generations, uploads in parts, keys that are no paths. */
import assert from "node:assert/strict";
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
import { FaultProxy } from "./support/fault_proxy.ts";
import { gcsSourceAt, openGcs } from "./support/gcs_place.ts";

const BUCKET = "service";

interface Servers {
  readonly server: FakeGcs;
  readonly proxy: FaultProxy;
}

const owned = new AsyncDisposableStack();
let running: Servers | null = null;
Deno.test.beforeAll(async () => {
  const server = owned.use(await startFakeGcs());
  await server.createBucket(BUCKET);
  running = { server, proxy: owned.use(await FaultProxy.start(server.endpoint)) };
});
Deno.test.afterAll(() => owned.disposeAsync());

/** The bucket by way of the proxy, which is healed. */
function proxied() {
  if (running === null) throw new Error("The servers have not been started");
  const { server, proxy } = running;
  proxy.heal();
  proxy.seen.length = 0;
  return { server, proxy, source: gcsSourceAt(proxy.origin, BUCKET) };
}

Deno.test("GcsBackend says that a bucket does not exist", async () => {
  await using backend = openGcs(gcsSourceAt(proxied().server.endpoint, "nowhere"));
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

Deno.test("GcsBackend believes no answer that is of another generation, or of none", async () => {
  const { proxy, source } = proxied();
  await using backend = openGcs(source);
  const range = { "content-range": "bytes 0-4/5", "content-length": "5" };
  for (const generation of [{}, { "x-goog-generation": "8" }]) {
    const headers = { ...range, ...generation, etag: '"7"' };
    proxy.inject({ kind: "answer", status: 206, headers, body: "hello" });
    const error = await failsWith("unavailable", read(backend, "object", "7", 0, 5));
    assert.match(error.message, /of version "(8|null)" where "7" was asked for/);
  }
  const headers = { ...range, "x-goog-generation": "7" };
  proxy.inject({ kind: "answer", status: 206, headers, body: "hello" });
  assert.deepEqual(await read(backend, "object", "7", 0, 5), bytesOf("hello"));
});

Deno.test("GcsBackend sends parts of an upload to its own endpoint and no other", async () => {
  const { proxy, source } = proxied();
  await using backend = openGcs(source);
  const bytes = patternOf(17 * 1024 * 1024, 4);
  // The server names itself, past the proxy, in the answer that begins the upload.
  const { version } = await put(backend, "parts", bytes);
  const parts = proxy.seen.filter(({ request }) => request.startsWith("PUT "));
  assert.deepEqual(parts.map(({ headers }) => headers.get("content-range")), [
    "bytes 0-8388607/17825792",
    "bytes 8388608-16777215/17825792",
    "bytes 16777216-17825791/17825792",
  ]);
  assert.deepEqual(
    await read(backend, "parts", version, 16_777_200, 32),
    bytes.slice(16_777_200, 16_777_232),
  );
});

Deno.test("GcsBackend maps keys that are no paths as the documentation says", async () => {
  const { server, source } = proxied();
  await server.createBucket("keys");
  const keys = ["a", "a/b", "dir/", "..", "../up", "x/../y", "x//z", "/root", "x/shown", "x/./w"];
  for (const key of keys) await server.upload("keys", key, bytesOf(key));
  await using backend = openGcs({ ...source, bucket: "keys" });
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
  await using backend = openGcs(proxied().source);
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
