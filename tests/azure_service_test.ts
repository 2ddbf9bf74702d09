/** What is particular to Azure: SAS, tokens and markers; all else is in `conformance/`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BackendError } from "../cache/backend/backend.ts";
import { describeError } from "../cache/platform/log.ts";
import {
  type AzureServers,
  CONTAINER,
  openBare,
  sas,
  startAzureServers,
} from "./support/azure_place.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "./support/backend_calls.ts";

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
  proxy.refuse();
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
    auth: { method: "managed_identity", clientId: null, resourceId: null },
  });
  const error = await failsWith("denied", backend.list("", null, never));
  assert.match(error.message, /only be sent over https/);
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

Deno.test("AzureBackend copies with a SAS", async () => {
  const { azurite } = servers();
  const auth = sas(azurite, "rwdl");
  const place = { endpoint: azurite.endpoint, container: CONTAINER, auth };
  await using backend = await openBare(place);
  await put(backend, "copy/from", bytesOf("hello"));
  assert.equal((await backend.copy("copy/from", "copy/to", never)).sizeBytes, 5);
});

Deno.test("AzureBackend leaves an MD5 with a blob that it puts in blocks", async () => {
  const { azurite, key: auth } = servers();
  const { endpoint } = azurite;
  await using backend = await openBare({ endpoint, container: CONTAINER, auth });
  const bytes = patternOf(20 * 1024 * 1024, 5);
  const { version } = await put(backend, "blocks", bytes);
  const hex = createHash("md5").update(bytes).digest("hex");
  assert.deepEqual(await backend.checksum("blocks", version, never), { digest: "md5", hex });
});
