/** What the Azure backend makes of a network and a service that fail: a real Azurite behind a proxy. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { AzureBackend } from "../cache/backend/azure.ts";
import type { BackendError } from "../cache/backend/backend.ts";
import type { BackendMetrics } from "../cache/backend/metered.ts";
import { type OpenedBackend, openRemote } from "../cache/backend/open.ts";
import type { AzureAuth } from "../cache/backend/settings.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { describeError, silentLogger } from "../cache/platform/log.ts";
import { Secret } from "../cache/platform/secret.ts";
import { bytesOf, contentOf, failsWith, patternOf, put, read } from "./backend_conformance.ts";
import { type Azurite, startAzurite } from "./support/azurite.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { freePort } from "./support/free_port.ts";

const never = new AbortController().signal;
const libc = Libc.open();
const CONTAINER = "faults";

let azurite: Azurite | null = null;
let proxy: FaultProxy | null = null;
Deno.test.beforeAll(async () => {
  azurite = await startAzurite();
  await azurite.container(CONTAINER);
  proxy = await FaultProxy.start(azurite.endpoint);
});
Deno.test.afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await azurite?.[Symbol.asyncDispose]();
});

function servers(): { azurite: Azurite; proxy: FaultProxy; key: AzureAuth } {
  if (azurite === null || proxy === null) throw new Error("The servers have not been started");
  proxy.heal();
  proxy.seen.length = 0;
  return { azurite, proxy, key: { method: "account_key", accountKey: new Secret(azurite.key) } };
}

interface Place {
  readonly endpoint: string;
  readonly container: string;
  readonly auth: AzureAuth;
}

/** The bare provider at `place`. */
function openBare(place: Place): Promise<AzureBackend> {
  const account = "devstoreaccount1";
  const source = { type: "azureblob", account, prefix: "", listPageSize: 100, ...place } as const;
  return AzureBackend.open("azure", source, { clock: systemClock, onRenewal: () => {} });
}

const UNCOUNTED: BackendMetrics = {
  request: () => {},
  error: () => {},
  bytesRead: () => {},
  authRefresh: () => {},
};

/** The provider at `place` under all decorators, as a mount uses it. */
async function openStacked(
  place: Place,
  timeoutMs: number,
  metrics = UNCOUNTED,
): Promise<OpenedBackend> {
  const source = {
    type: "azureblob",
    account: "devstoreaccount1",
    prefix: "",
    listPageSize: 100,
    ...place,
  } as const;
  const settings = { name: "azure", mountPath: "azure", timeoutMs, requestsMax: 4, source };
  const deps = { clock: systemClock, random: () => 0, logger: silentLogger, metrics, libc };
  return openRemote(await openBare(place), settings, deps);
}

function sas(azurite: Azurite, permissions: string): AzureAuth {
  const query = generateBlobSASQueryParameters(
    {
      containerName: CONTAINER,
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 3_600_000),
    },
    new StorageSharedKeyCredential(azurite.account, azurite.key),
  );
  return { method: "sas", sasToken: new Secret(query.toString()) };
}

/** Only what is read, so that HEAD requests and listings pass. */
const isBlobRead = (request: string) => request.startsWith("GET") && !request.includes("comp=");

Deno.test("AzureBackend says that a container does not exist", async () => {
  const { azurite, key: auth } = servers();
  await using backend = await openBare({
    endpoint: azurite.endpoint,
    container: "absent-one",
    auth,
  });
  const list = await failsWith("not_found", backend.list("", null, never));
  assert.match(list.message, /there is no container "absent-one"/);
  assert.ok(list.hint);
  await failsWith("not_found", backend.stat("object", never));
  await failsWith("not_found", backend.remove("object", never));
});

Deno.test("AzureBackend says that a key is wrong", async () => {
  const { azurite } = servers();
  const wrong = new Secret(btoa("another key, of an account that is not this one"));
  await using backend = await openBare({
    endpoint: azurite.endpoint,
    container: CONTAINER,
    auth: { method: "account_key", accountKey: wrong },
  });
  const errors = [
    await failsWith("denied", backend.list("", null, never)),
    await failsWith("denied", backend.stat("object", never)),
    await failsWith("denied", read(backend, "object", "0x1", 0, 1)),
    await failsWith("denied", put(backend, "object", bytesOf("x"))),
  ];
  for (const error of errors) {
    assert.match(error.message, /403 AuthorizationFailure|403 AuthenticationFailed/);
    assert.ok(error.hint);
    assert.ok(!describeError(error).includes(wrong.reveal()));
  }
});

Deno.test("AzureBackend works with a SAS within its rights, and never shows it", async () => {
  const { azurite, proxy, key } = servers();
  await using owner = await openBare({
    endpoint: azurite.endpoint,
    container: CONTAINER,
    auth: key,
  });
  const { version } = await put(owner, "shared/object", bytesOf("hello"));
  const auth = sas(azurite, "rl");
  assert.ok(auth.method === "sas");
  const signature = new URLSearchParams(auth.sasToken.reveal()).get("sig") ?? "";
  assert.ok(signature.length > 10);
  const endpoint = proxy.through(azurite.endpoint);
  await using reader = await openBare({ endpoint, container: CONTAINER, auth });
  assert.deepEqual(await read(reader, "shared/object", version, 1, 3), bytesOf("ell"));
  assert.equal((await reader.stat("shared/object", never))?.kind, "object");
  const errors: BackendError[] = [
    await failsWith("denied", put(reader, "shared/new", bytesOf("x"))),
    await failsWith("denied", reader.remove("shared/object", never)),
  ];
  await proxy.refuse();
  errors.push(await failsWith("unavailable", read(reader, "shared/object", version, 0, 1)));
  errors.push(await failsWith("unavailable", reader.list("", null, never)));
  await proxy.accept();
  proxy.inject({ kind: "reset", afterBytes: 2 });
  errors.push(await failsWith("unavailable", read(reader, "shared/object", version, 0, 5)));
  for (const error of errors) {
    const shown = describeError(error) + Deno.inspect(error) + error.hint;
    assert.ok(!shown.includes(signature) && !shown.includes(encodeURIComponent(signature)));
  }
  await using writer = await openBare({
    endpoint: azurite.endpoint,
    container: CONTAINER,
    auth: sas(azurite, "w"),
  });
  await failsWith("denied", writer.list("", null, never));
});

Deno.test("AzureBackend refuses to send a token over plain http", async () => {
  const { azurite } = servers();
  await using backend = await openBare({
    endpoint: azurite.endpoint,
    container: CONTAINER,
    auth: { method: "managed_identity", clientId: null },
  });
  const error = await failsWith("denied", backend.list("", null, never));
  assert.match(error.message, /only be sent over https/);
});

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
  await proxy.refuse();
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

Deno.test("AzureBackend reads an object that is stored compressed as it is", async () => {
  const { azurite, key: auth } = servers();
  const container = await azurite.container(CONTAINER);
  const bytes = new Uint8Array(gzipSync("hello ".repeat(10_000)));
  const blobHTTPHeaders = { blobContentEncoding: "gzip" };
  await container.getBlockBlobClient("packed").upload(bytes, bytes.length, { blobHTTPHeaders });
  const place = { endpoint: azurite.endpoint, container: CONTAINER, auth };
  await using backend = await openBare(place);
  const entry = await backend.stat("packed", never);
  assert.ok(entry?.kind === "object");
  assert.equal(entry.sizeBytes, bytes.length);
  assert.deepEqual(await read(backend, "packed", entry.version, 0, bytes.length), bytes);
});

Deno.test("AzureBackend takes an object marked as a folder for a directory", async () => {
  const { azurite, key: auth } = servers();
  const container = await azurite.container(CONTAINER);
  const metadata = { hdi_isfolder: "true" };
  await container.getBlockBlobClient("marked/sub").upload("", 0, { metadata });
  const place = { endpoint: azurite.endpoint, container: CONTAINER, auth };
  await using backend = await openBare(place);
  assert.equal((await backend.stat("marked/sub", never))?.kind, "directory");
  const { entries } = await backend.list("marked", null, never);
  assert.deepEqual(entries.map(({ kind, name }) => `${kind} ${name}`), ["directory sub"]);
});

Deno.test("AzureBackend copies with a SAS and puts nothing when its caller gives up", async () => {
  const { azurite } = servers();
  const auth = sas(azurite, "rwdl");
  const place = { endpoint: azurite.endpoint, container: CONTAINER, auth };
  await using backend = await openBare(place);
  await put(backend, "copy/from", bytesOf("hello"));
  assert.equal((await backend.copy("copy/from", "copy/to", never)).sizeBytes, 5);
  const controller = new AbortController();
  const reason = new Error("No longer wanted");
  const content = {
    sizeBytes: 10,
    async *open() {
      yield bytesOf("12345");
      controller.abort(reason);
      yield* contentOf(bytesOf("67890")).open();
    },
  };
  await assert.rejects(backend.put("copy/never", content, controller.signal), reason);
  assert.equal(await backend.stat("copy/never", never), null);
});
