/** What the Cloud Storage backend makes of failing networks and services. */
import assert from "node:assert/strict";
import type { GcsSource } from "../cache/backend/gcs/source.ts";
import { openRemote } from "../cache/backend/open.ts";
import { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { silentLogger } from "../cache/platform/log.ts";
import { UNCOUNTED } from "./support/azure_place.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "./support/backend_calls.ts";
import { type FakeGcs, startFakeGcs } from "./support/fake_gcs.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { freePort } from "./support/free_port.ts";
import { gcsSourceAt, openGcs } from "./support/gcs_place.ts";

const BUCKET = "faults";

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
function proxied(): Servers & { readonly source: GcsSource } {
  if (running === null) throw new Error("The servers have not been started");
  const { server, proxy } = running;
  proxy.heal();
  proxy.seen.length = 0;
  return { server, proxy, source: gcsSourceAt(proxy.origin, BUCKET) };
}

const isObjectRead = (request: string) => request.includes("alt=media");

const libc = Libc.open();

/** The backend under all decorators, as a mount uses it. */
function openStacked(source: GcsSource) {
  const settings = { name: "gcs", mountPath: "gcs", timeoutMs: 30_000, requestsMax: 4, source };
  const hedges = new FetchBuffers(16 * 1024 * 1024);
  const clock = systemClock;
  const fixed = { clock, random: () => 0, logger: silentLogger, metrics: UNCOUNTED };
  return openRemote(openGcs(source), settings, { ...fixed, libc, hedges });
}

Deno.test("GcsBackend tells apart the ways in which there is no answer", async () => {
  const { source } = proxied();
  const places: [endpoint: string, message: RegExp][] = [
    [`http://127.0.0.1:${freePort()}`, /connection refused by 127\.0\.0\.1/],
    ["http://storage.invalid", /name of storage\.invalid cannot be resolved/],
  ];
  for (const [endpoint, message] of places) {
    await using backend = openGcs({ ...source, endpoint });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => backend.stat("object", never),
        () => read(backend, "object", "1", 0, 1),
      ]
    ) {
      const error = await failsWith("unavailable", operation());
      assert.match(error.message, message);
      assert.ok(error.hint);
    }
  }
});

Deno.test("GcsBackend sees that something else answers in place of the service", async () => {
  const { proxy, source } = proxied();
  await using backend = openGcs(source);
  const answers = [
    { status: 200, headers: { "content-type": "text/html" }, body: "<html>Please log in</html>" },
    { status: 200, headers: { "content-type": "application/json" }, body: "{}" },
    { status: 302, headers: { location: "http://login/" }, body: "" },
  ];
  for (const answer of answers) {
    proxy.inject({ kind: "answer", ...answer });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => backend.stat("object", never),
        () => read(backend, "object", "1", 0, 1),
        () => put(backend, "object", bytesOf("x")),
      ]
    ) {
      const error = await failsWith("unavailable", operation());
      assert.match(error.message, /none of a Cloud Storage service/);
    }
  }
});

Deno.test("GcsBackend passes on that it should slow down, and for how long", async () => {
  const { proxy, source } = proxied();
  await using backend = openGcs(source);
  const headers = { "retry-after": "3" };
  const errors = [{ reason: "rateLimitExceeded", message: "Too many" }];
  const body = JSON.stringify({ error: { code: 429, message: "Too many", errors } });
  for (const status of [429, 403, 503]) {
    proxy.inject({ kind: "answer", status, headers, body });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => read(backend, "object", "1", 0, 1),
        () => put(backend, "object", bytesOf("x")),
      ]
    ) {
      proxy.seen.length = 0;
      const error = await failsWith("throttled", operation());
      assert.equal(error.retryAfterMs, 3_000);
      assert.match(error.message, new RegExp(`${status} rateLimitExceeded`));
      assert.equal(proxy.seen.length, 1, "only the decorator tries again");
    }
  }
});

for (const kind of ["cut", "reset"] as const) {
  Deno.test(`GcsBackend reports a body that is ${kind} short`, async () => {
    const { proxy, source } = proxied();
    await using backend = openGcs(source);
    const bytes = patternOf(200_000, 1);
    const { version } = await put(backend, "short", bytes);
    proxy.inject({ kind, afterBytes: 70_000 }, Infinity, isObjectRead);
    const target = new Uint8Array(bytes.length);
    let filledBytes = 0;
    const onFilled = (filled: number) => {
      filledBytes = filled;
    };
    const range = { path: "short", version, offset: 0, target, onFilled };
    await failsWith("unavailable", backend.read(range, never));
    assert.ok(filledBytes <= 70_000);
    assert.deepEqual(target.subarray(0, filledBytes), bytes.subarray(0, filledBytes));
  });
}

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

Deno.test("A mounted Cloud Storage goes on with a read whose connection broke off", async () => {
  const { proxy, source } = proxied();
  const { backend } = openStacked(source);
  await using _closing = backend;
  const bytes = patternOf(300_000, 2);
  const { version } = await put(backend, "resumed", bytes);
  proxy.inject({ kind: "cut", afterBytes: 100_000 }, 1, isObjectRead);
  assert.deepEqual(await read(backend, "resumed", version, 0, bytes.length), bytes);
  const ranges = proxy.seen.flatMap(({ headers }) => headers.get("range") ?? []);
  assert.deepEqual(ranges, ["bytes=0-299999", "bytes=100000-299999"]);
});

Deno.test("A mounted Cloud Storage tries again after 503 with Retry-After", async () => {
  const { proxy, source } = proxied();
  const { backend } = openStacked(source);
  await using _closing = backend;
  const { version } = await put(backend, "throttled", bytesOf("hello"));
  const headers = { "retry-after": "0" };
  proxy.inject({ kind: "answer", status: 503, headers, body: "" }, 2, isObjectRead);
  assert.deepEqual(await read(backend, "throttled", version, 0, 5), bytesOf("hello"));
});

Deno.test("GcsBackend asks by way of the proxy it is told", async () => {
  const { server, proxy, source } = proxied();
  // To a proxy, the first line of a request has the whole URL: this one passes it on as it is.
  const { endpoint } = server;
  await using backend = openGcs({ ...source, endpoint, proxy: proxy.origin });
  const { version } = await put(backend, "by proxy", bytesOf("hello"));
  assert.deepEqual(await read(backend, "by proxy", version, 0, 5), bytesOf("hello"));
  assert.ok(proxy.seen.length >= 2);
});

Deno.test("GcsBackend names the project that pays in each of its requests", async () => {
  const { proxy, source } = proxied();
  await using backend = openGcs({ ...source, userProject: "billed-project" });
  const { version } = await put(backend, "paid", bytesOf("hello"));
  await put(backend, "large", patternOf(9 * 1024 * 1024, 3));
  await backend.list("", null, never);
  await backend.stat("paid", never);
  await read(backend, "paid", version, 0, 5);
  await backend.copy("paid", "copied", never);
  await backend.remove("copied", never);
  for (const { request } of proxy.seen) assert.match(request, /[?&]userProject=billed-project/);
  assert.ok(proxy.seen.length >= 10);
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
