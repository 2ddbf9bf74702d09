/** What the Azure backend makes of failing networks and services: Azurite behind a proxy. */
import assert from "node:assert/strict";
import {
  type AzureServers,
  CONTAINER,
  openBare,
  openStacked,
  startAzureServers,
  UNCOUNTED,
} from "./support/azure_place.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "./support/backend_calls.ts";
import { freePort } from "./support/free_port.ts";

let running: AzureServers | null = null;
Deno.test.beforeAll(async () => {
  running = await startAzureServers();
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

function servers(): AzureServers {
  if (running === null) throw new Error("The servers have not been started");
  running.proxy.heal();
  running.proxy.seen.length = 0;
  return running;
}

/** Only what is read, so that HEAD requests and listings pass. */
const isBlobRead = (request: string) => request.startsWith("GET") && !request.includes("comp=");

Deno.test("AzureBackend tells apart the ways in which there is no answer", async () => {
  const { key: auth } = servers();
  const places: [endpoint: string, message: RegExp][] = [
    [`http://127.0.0.1:${freePort()}/devstoreaccount1`, /connection refused by 127\.0\.0\.1/],
    [`http://account.invalid/devstoreaccount1`, /name of account\.invalid cannot be resolved/],
  ];
  for (const [endpoint, message] of places) {
    await using backend = await openBare({ endpoint, container: CONTAINER, auth });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => backend.stat("object", never),
        () => read(backend, "object", "0x1", 0, 1),
      ]
    ) {
      const error = await failsWith("unavailable", operation());
      assert.match(error.message, message);
      assert.ok(error.hint);
    }
  }
});

Deno.test("AzureBackend sees that something else answers in place of the service", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  await using backend = await openBare({ endpoint, container: CONTAINER, auth });
  const body = "<html><body>Please log in</body></html>";
  proxy.inject({ kind: "answer", status: 200, headers: { "content-type": "text/html" }, body });
  await failsWith("unavailable", backend.list("", null, never));
  await failsWith("unavailable", read(backend, "object", "0x1", 0, 1));
  proxy.inject({ kind: "answer", status: 302, headers: { location: "http://login/" }, body });
  await failsWith("unavailable", backend.list("", null, never));
  await failsWith("unavailable", read(backend, "object", "0x1", 0, 1));
});

Deno.test("AzureBackend passes on that it should slow down, and for how long", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  await using backend = await openBare({ endpoint, container: CONTAINER, auth });
  const headers = { "retry-after": "3", "x-ms-error-code": "ServerBusy" };
  for (const status of [429, 503]) {
    proxy.inject({ kind: "answer", status, headers, body: "" });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => read(backend, "object", "0x1", 0, 1),
        () => put(backend, "object", bytesOf("x")),
      ]
    ) {
      proxy.seen.length = 0;
      const error = await failsWith("throttled", operation());
      assert.equal(error.retryAfterMs, 3_000);
      assert.match(error.message, new RegExp(`${status} ServerBusy`));
      assert.equal(proxy.seen.length, 1, "the SDK does not retry on its own");
    }
  }
});

Deno.test("A mounted Azure backend tries again after 503 with Retry-After", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  const { backend } = await openStacked({ endpoint, container: CONTAINER, auth }, 30_000);
  await using _closing = backend;
  const { version } = await put(backend, "throttled", bytesOf("hello"));
  const headers = { "retry-after": "0" };
  proxy.inject({ kind: "answer", status: 503, headers, body: "" }, 2, isBlobRead);
  assert.deepEqual(await read(backend, "throttled", version, 0, 5), bytesOf("hello"));
});

for (const kind of ["cut", "reset"] as const) {
  Deno.test(`AzureBackend reports a body that is ${kind} short`, async () => {
    const { azurite, proxy, key: auth } = servers();
    const endpoint = proxy.through(azurite.endpoint);
    await using backend = await openBare({ endpoint, container: CONTAINER, auth });
    const bytes = patternOf(500_000, 1);
    const { version } = await put(backend, "object", bytes);
    proxy.inject({ kind, afterBytes: 200_000 }, 1, isBlobRead);
    const target = new Uint8Array(bytes.length);
    let announced = 0;
    const onFilled = (filled: number) => {
      announced = filled;
    };
    const range = { path: "object", version, offset: 0, target, onFilled };
    const error = await failsWith("unavailable", backend.read(range, never));
    assert.match(error.message, /broke off|was reset/);
    assert.ok(announced <= 200_000);
    assert.deepEqual(target.subarray(0, announced), bytes.subarray(0, announced));
  });
}

Deno.test("A mounted Azure backend goes on with a read whose connection broke off", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  let arrived = 0;
  const metrics = {
    ...UNCOUNTED,
    bytesRead: (_backend: string, bytes: number) => {
      arrived += bytes;
    },
  };
  const place = { endpoint, container: CONTAINER, auth };
  const { backend } = await openStacked(place, 30_000, metrics);
  await using _closing = backend;
  const bytes = patternOf(500_000, 2);
  const { version } = await put(backend, "object", bytes);
  proxy.seen.length = 0;
  proxy.inject({ kind: "cut", afterBytes: 200_000 }, 1, isBlobRead);
  assert.deepEqual(await read(backend, "object", version, 0, bytes.length), bytes);
  const ranges = proxy.seen.map(({ headers }) => headers.get("range") ?? "");
  assert.equal(ranges[0], "bytes=0-499999");
  assert.match(ranges[1] ?? "", /^bytes=[1-9][0-9]*-499999$/);
  for (const { headers } of proxy.seen) assert.equal(headers.get("if-match"), `"${version}"`);
  assert.equal(arrived, bytes.length, "no byte is fetched twice");
});

Deno.test("A mounted Azure backend does not go on with another version", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  const place = { endpoint, container: CONTAINER, auth };
  await using direct = await openBare({ ...place, endpoint: azurite.endpoint });
  const { backend } = await openStacked(place, 30_000);
  await using _closing = backend;
  const bytes = patternOf(500_000, 3);
  const { version } = await put(direct, "object", bytes);
  proxy.inject({ kind: "cut", afterBytes: 200_000 }, 1, isBlobRead);
  const target = new Uint8Array(bytes.length);
  let announced = 0;
  let overwriting: Promise<unknown> | null = null;
  const onFilled = (filled: number) => {
    announced = filled;
    overwriting ??= put(direct, "object", patternOf(500_000, 4));
  };
  const range = { path: "object", version, offset: 0, target, onFilled };
  const failure: unknown = await backend.read(range, never).then(() => null, (error) => error);
  await overwriting;
  assert.deepEqual(target.subarray(0, announced), bytes.subarray(0, announced));
  if (failure === null) assert.equal(announced, bytes.length);
  await failsWith("changed", backend.read({ ...range, onFilled: () => {} }, never));
});

Deno.test("A mounted Azure backend takes up a stalled read on another connection", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  const place = { endpoint, container: CONTAINER, auth };
  const { backend } = await openStacked(place, 3_000);
  await using _closing = backend;
  const bytes = patternOf(500_000, 5);
  const { version } = await put(backend, "object", bytes);
  proxy.inject({ kind: "stall", afterBytes: 100_000 }, 1, isBlobRead);
  assert.deepEqual(await read(backend, "object", version, 0, bytes.length), bytes);
});

Deno.test("A mounted Azure backend fails a read that stays stalled with timeout", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  const place = { endpoint, container: CONTAINER, auth };
  const { backend } = await openStacked(place, 600);
  await using _closing = backend;
  const { version } = await put(backend, "object", patternOf(500_000, 6));
  proxy.inject({ kind: "stall", afterBytes: 0 }, Infinity, isBlobRead);
  const error = await failsWith("timeout", read(backend, "object", version, 0, 500_000));
  assert.match(error.message, /no progress for/);
});

Deno.test("A mounted Azure backend degrades while the store is down, and recovers", async () => {
  const { azurite, proxy, key: auth } = servers();
  const endpoint = proxy.through(azurite.endpoint);
  const place = { endpoint, container: CONTAINER, auth };
  const { backend, health } = await openStacked(place, 2_000);
  await using _closing = backend;
  await put(backend, "object", bytesOf("hello"));
  proxy.refuse();
  for (let round = 0; round < 3; round += 1) {
    await failsWith("unavailable", backend.stat("object", never));
  }
  assert.equal(health.state.state, "degraded");
  await failsWith("degraded", backend.stat("object", never));
  await proxy.accept();
  await health.check(never);
  assert.equal(health.state.state, "healthy");
  assert.equal((await backend.stat("object", never))?.kind, "object");
});
