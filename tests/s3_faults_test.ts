/** What the S3 backend makes of failing networks and services: a server behind a proxy. */
import assert from "node:assert/strict";
import type { S3Source } from "../cache/backend/s3/source.ts";
import { openRemote } from "../cache/backend/open.ts";
import { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { silentLogger } from "../cache/platform/log.ts";
import { Secret } from "../cache/platform/secret.ts";
import { UNCOUNTED } from "./support/azure_place.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "./support/backend_calls.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { freePort } from "./support/free_port.ts";
import { openS3, s3SourceAt } from "./support/s3_place.ts";
import { startVersitygw, type Versitygw } from "./support/versitygw.ts";

const BUCKET = "faults";

interface Servers {
  readonly server: Versitygw;
  readonly proxy: FaultProxy;
}

const owned = new AsyncDisposableStack();
let running: Servers | null = null;
Deno.test.beforeAll(async () => {
  const server = owned.use(await startVersitygw());
  await server.createBucket(BUCKET);
  running = { server, proxy: owned.use(await FaultProxy.start(server.endpoint)) };
});
Deno.test.afterAll(() => owned.disposeAsync());

/** The bucket by way of the proxy, which is healed. */
function proxied(): Servers & { readonly source: S3Source } {
  if (running === null) throw new Error("The servers have not been started");
  const { server, proxy } = running;
  proxy.heal();
  proxy.seen.length = 0;
  return { server, proxy, source: { ...s3SourceAt(server, BUCKET), endpoint: proxy.origin } };
}

const isObjectRead = (request: string) =>
  request.startsWith("GET") && !request.includes("list-type");

const libc = Libc.open();

/** The backend under all decorators, as a mount uses it. */
async function openStacked(source: S3Source) {
  const settings = { name: "s3", mountPath: "s3", timeoutMs: 30_000, requestsMax: 4, source };
  const hedges = new FetchBuffers(16 * 1024 * 1024);
  const clock = systemClock;
  const fixed = { clock, random: () => 0, logger: silentLogger, metrics: UNCOUNTED };
  return openRemote(await openS3(source), settings, { ...fixed, libc, hedges });
}

Deno.test("S3Backend tells apart the ways in which there is no answer", async () => {
  const { source } = proxied();
  const places: [endpoint: string, message: RegExp][] = [
    [`http://127.0.0.1:${freePort()}`, /connection refused by 127\.0\.0\.1/],
    ["http://s3.invalid", /name of s3\.invalid cannot be resolved/],
  ];
  for (const [endpoint, message] of places) {
    await using backend = await openS3({ ...source, endpoint });
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

Deno.test("S3Backend sees that something else answers in place of the service", async () => {
  const { proxy, source } = proxied();
  await using backend = await openS3(source);
  const body = "<html><body>Please log in</body></html>";
  const answers = [
    { status: 200, headers: { "content-type": "text/html" } },
    { status: 302, headers: { location: "http://login/" } },
  ];
  for (const answer of answers) {
    proxy.inject({ kind: "answer", ...answer, body });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => read(backend, "object", "1", 0, 1),
      ]
    ) {
      const error = await failsWith("unavailable", operation());
      assert.match(error.message, /none of an S3 service/);
    }
  }
});

Deno.test("S3Backend passes on that it should slow down, and for how long", async () => {
  const { proxy, source } = proxied();
  await using backend = await openS3(source);
  const headers = { "retry-after": "3" };
  const body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>" +
    "</Error>";
  proxy.inject({ kind: "answer", status: 503, headers, body });
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
    assert.match(error.message, /503 SlowDown/);
    assert.equal(proxy.seen.length, 1, "the SDK does not retry on its own");
  }
});

Deno.test("S3Backend follows no redirect, and names the region of the bucket", async () => {
  const { proxy, source } = proxied();
  await using backend = await openS3(source);
  const headers = { "x-amz-bucket-region": "eu-west-1", location: "http://elsewhere/" };
  const body = "<Error><Code>PermanentRedirect</Code><Message>Elsewhere</Message></Error>";
  proxy.inject({ kind: "answer", status: 301, headers, body });
  for (
    const operation of [
      () => backend.list("", null, never),
      () => backend.stat("object", never),
      () => read(backend, "object", "1", 0, 1),
    ]
  ) {
    const error = await failsWith("denied", operation());
    assert.match(error.message, /wrong region: bucket "faults" is in "eu-west-1"/);
  }
});

Deno.test("S3Backend says why it is denied a stat, though a HEAD cannot", async () => {
  const { proxy, source } = proxied();
  await using backend = await openS3(source);
  const body = "<Error><Code>ExpiredToken</Code><Message>The token has ended.</Message></Error>";
  proxy.inject({ kind: "answer", status: 400, headers: {}, body });
  const error = await failsWith("denied", backend.stat("object", never));
  assert.match(error.message, /400 ExpiredToken/);
});

for (const kind of ["cut", "reset"] as const) {
  Deno.test(`S3Backend reports a body that is ${kind} short`, async () => {
    const { proxy, source } = proxied();
    await using backend = await openS3(source);
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

Deno.test("A mounted S3 backend goes on with a read whose connection broke off", async () => {
  const { proxy, source } = proxied();
  const { backend } = await openStacked(source);
  await using _closing = backend;
  const bytes = patternOf(300_000, 2);
  const { version } = await put(backend, "resumed", bytes);
  proxy.inject({ kind: "cut", afterBytes: 100_000 }, 1, isObjectRead);
  assert.deepEqual(await read(backend, "resumed", version, 0, bytes.length), bytes);
  const ranges = proxy.seen.flatMap(({ headers }) => headers.get("range") ?? []);
  assert.deepEqual(ranges, ["bytes=0-299999", "bytes=100000-299999"]);
});

Deno.test("A mounted S3 backend tries again after 503 with Retry-After", async () => {
  const { proxy, source } = proxied();
  const { backend } = await openStacked(source);
  await using _closing = backend;
  const { version } = await put(backend, "throttled", bytesOf("hello"));
  const headers = { "retry-after": "0" };
  proxy.inject({ kind: "answer", status: 503, headers, body: "" }, 2, isObjectRead);
  assert.deepEqual(await read(backend, "throttled", version, 0, 5), bytesOf("hello"));
});

Deno.test("S3Backend asks by way of the proxy it is told, for signed requests too", async () => {
  const { server, proxy, source } = proxied();
  // To a proxy, the first line of a request has the whole URL: this one passes it on as it is.
  const { endpoint } = server;
  await using backend = await openS3({ ...source, endpoint, proxy: proxy.origin });
  const { version } = await put(backend, "by proxy", bytesOf("hello"));
  assert.deepEqual(await read(backend, "by proxy", version, 0, 5), bytesOf("hello"));
  assert.ok(proxy.seen.length >= 3);
});

Deno.test("S3Backend sends the token of temporary keys, signed", async () => {
  const { proxy, source } = proxied();
  assert.ok(source.auth.method === "static");
  const auth = { ...source.auth, sessionToken: new Secret("of a session") };
  await using backend = await openS3({ ...source, auth });
  const operations = [
    () => backend.list("", null, never),
    () => read(backend, "object", "1", 0, 1),
  ];
  for (const operation of operations) {
    // The server has no sessions, and says so.
    const error = await failsWith("denied", operation());
    assert.match(error.message, /InvalidToken/);
    assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), /of a session/);
  }
  for (const { headers } of proxy.seen) {
    assert.equal(headers.get("x-amz-security-token"), "of a session");
    assert.match(headers.get("authorization") ?? "", /SignedHeaders=[^,]*x-amz-security-token/);
  }
  assert.equal(proxy.seen.length, 2);
});

Deno.test("S3Backend pays for its requests where it is told to", async () => {
  const { proxy, source } = proxied();
  await using backend = await openS3({ ...source, requesterPays: true });
  const { version } = await put(backend, "paid", bytesOf("hello"));
  await backend.list("", null, never);
  await read(backend, "paid", version, 0, 5);
  for (const { request, headers } of proxy.seen) {
    assert.equal(headers.get("x-amz-request-payer"), "requester", request);
  }
  assert.ok(proxy.seen.length >= 4);
});
