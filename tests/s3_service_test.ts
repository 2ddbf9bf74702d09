/** What is particular to S3: regions, temporary keys, ETags; all else is in `conformance/`. */
import assert from "node:assert/strict";
import { Secret } from "../cache/platform/secret.ts";
import { failsWith, listAll, never, patternOf, put, read } from "./support/backend_calls.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { openS3, s3SourceAt } from "./support/s3_place.ts";
import { startVersitygw, type Versitygw } from "./support/versitygw.ts";

const BUCKET = "service";

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
function proxied() {
  if (running === null) throw new Error("The servers have not been started");
  const { server, proxy } = running;
  proxy.heal();
  proxy.seen.length = 0;
  return { server, proxy, source: { ...s3SourceAt(server, BUCKET), endpoint: proxy.origin } };
}

Deno.test("S3Backend without keys sends no signature, which a private bucket refuses", async () => {
  await using backend = openS3({ ...proxied().source, auth: { method: "none" } });
  await failsWith("denied", backend.list("", null, never));
  await failsWith("denied", read(backend, "object", "1", 0, 1));
});

Deno.test("S3Backend follows no redirect, and names the region of the bucket", async () => {
  const { proxy, source } = proxied();
  await using backend = openS3(source);
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
    assert.match(error.message, /wrong region: bucket "service" is in "eu-west-1"/);
  }
});

Deno.test("S3Backend says why it is denied a stat, though a HEAD cannot", async () => {
  const { proxy, source } = proxied();
  await using backend = openS3(source);
  const body = "<Error><Code>ExpiredToken</Code><Message>The token has ended.</Message></Error>";
  proxy.inject({ kind: "answer", status: 400, headers: {}, body });
  const error = await failsWith("denied", backend.stat("object", never));
  assert.match(error.message, /400 ExpiredToken/);
});

Deno.test("S3Backend sends the token of temporary keys, signed", async () => {
  const { proxy, source } = proxied();
  assert.ok(source.auth.method === "static");
  const auth = { ...source.auth, sessionToken: new Secret("of a session") };
  await using backend = openS3({ ...source, auth });
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

Deno.test("S3Backend knows an object written in parts, and the same bytes again", async () => {
  await using backend = openS3(proxied().source);
  const bytes = patternOf(9 * 1024 * 1024, 1);
  const stored = await put(backend, "parts", bytes);
  assert.match(stored.version, /^[0-9a-f]{32}-2$/);
  assert.deepEqual(await backend.stat("parts", never), stored);
  // The ETag is made of the bytes, so a reader of the old object may go on.
  const again = await put(backend, "parts", bytes);
  assert.equal(again.version, stored.version);
  assert.deepEqual(
    await read(backend, "parts", stored.version, 8_388_600, 16),
    bytes.subarray(8_388_600, 8_388_616),
  );
});

Deno.test("S3Backend reads no object that has no ETag", async () => {
  const { server, source } = proxied();
  await using backend = openS3(source);
  // The server keeps ETags beside the files, and this file did not come through it.
  await Deno.writeTextFile(`${server.root}/${BUCKET}/foreign`, "hello");
  const [page] = await listAll(backend, "");
  const entry = page?.entries.find(({ name }) => name === "foreign");
  assert.ok(entry?.kind === "object");
  assert.equal(entry.etag, null);
  const error = await failsWith("invalid", read(backend, "foreign", entry.version, 0, 5));
  assert.match(error.message, /no ETag/);
});
