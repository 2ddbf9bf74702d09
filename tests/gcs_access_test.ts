/** Tokens of the Cloud Storage backend, before a store that takes only valid ones. */
import assert from "node:assert/strict";
import { bytesOf, failsWith, never, put, read } from "./support/backend_calls.ts";
import { eventually } from "./support/eventually.ts";
import { CLOSED_PORT } from "./support/free_port.ts";
import { otherKey } from "./support/other_key.ts";
import {
  gatedSourceAt,
  type GcsServers,
  gcsSourceAt,
  openGcs,
  startGcsServers,
} from "./support/gcs_place.ts";

const BUCKET = "access";

let running: GcsServers | null = null;
Deno.test.beforeAll(async () => {
  running = await startGcsServers();
  await running.server.createBucket(BUCKET);
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

/** The servers, with issuers and gate as they are at first. */
function servers(): GcsServers {
  if (running === null) throw new Error("The servers have not been started");
  running.gate.reset();
  running.issuers.seen.length = 0;
  return running;
}

Deno.test("GcsBackend has one token for all requests, and is let in with it alone", async () => {
  const all = servers();
  const { gate, issuers } = all;
  const source = gatedSourceAt(all, BUCKET);
  await using backend = openGcs(source);
  const { version } = await put(backend, "object", bytesOf("hello"));
  await Promise.all(Array.from({ length: 8 }, () => read(backend, "object", version, 0, 5)));
  await backend.list("", null, never);
  assert.deepEqual(issuers.seen, ["key"]);
  assert.ok(gate.seen.every(({ state }) => state === "valid"));
  const renewals: string[] = [];
  await using nobody = openGcs(
    gcsSourceAt(gate.endpoint, BUCKET),
    (status, provider) => renewals.push(`${provider} ${status}`),
  );
  const error = await failsWith("denied", read(nobody, "object", version, 0, 5));
  assert.match(error.message, /401 .*Anonymous caller/);
  assert.match(error.hint ?? "", /another auth/);
  assert.deepEqual(renewals, ["none success"]);
});

Deno.test("GcsBackend takes another token for one that was revoked while it reads", async () => {
  const all = servers();
  const { issuers, gate, tokens } = all;
  await using backend = openGcs(gatedSourceAt(all, BUCKET));
  const { version } = await put(backend, "revoked", bytesOf("hello"));
  tokens.revoke();
  assert.deepEqual(await read(backend, "revoked", version, 0, 5), bytesOf("hello"));
  assert.deepEqual(issuers.seen, ["key", "key"]);
  assert.deepEqual(gate.seen.map(({ state }) => state), ["valid", "expired", "valid"]);
});

Deno.test("GcsBackend is denied what a new token does not allow either, and says why", async () => {
  const all = servers();
  const { issuers, gate } = all;
  await using backend = openGcs(gatedSourceAt(all, BUCKET));
  const { version } = await put(backend, "forbidden", bytesOf("hello"));
  gate.forbids = ({ query }) => query.get("alt") === "media";
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const error = await failsWith("denied", read(backend, "forbidden", version, 0, 5));
    assert.match(
      error.message,
      /403 forbidden \(The caller does not have access to it\. \(test\)\)/,
    );
    assert.match(error.hint ?? "", /storage\.objects\.get on bucket "access"/);
    assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), /ya29|PRIVATE/);
  }
  assert.deepEqual(issuers.seen, ["key", "key"], "the issuer is not asked for every refusal");
});

Deno.test("GcsBackend reads on with its token when one path is denied, issuer or not", async () => {
  const all = servers();
  const { issuers, gate } = all;
  await using backend = openGcs(gatedSourceAt(all, BUCKET));
  const open = await put(backend, "open", bytesOf("hello"));
  const closed = await put(backend, "closed", bytesOf("hello"));
  gate.forbids = ({ path }) => path.endsWith("closed");
  issuers.busy.push(502);
  const error = await failsWith("denied", read(backend, "closed", closed.version, 0, 5));
  assert.match(error.message, /403 forbidden/);
  assert.deepEqual(await read(backend, "open", open.version, 0, 5), bytesOf("hello"));
  assert.deepEqual(
    [issuers.seen, issuers.busy],
    [["key"], []],
    "another one was asked for in vain",
  );
});

Deno.test("GcsBackend takes a condition that does not hold for a version gone", async () => {
  const all = servers();
  const { gate } = all;
  await using backend = openGcs(gatedSourceAt(all, BUCKET));
  const old = await put(backend, "changed", bytesOf("first"));
  const now = await put(backend, "changed", bytesOf("other"));
  const gone = await failsWith("changed", read(backend, "changed", old.version, 0, 5));
  assert.match(gone.message, /404/);
  gate.knowsGenerations = false;
  const unmet = await failsWith("changed", read(backend, "changed", old.version, 0, 5));
  assert.match(unmet.message, /overwritten or deleted since it was opened: .*412 conditionNotMet/);
  assert.deepEqual(await read(backend, "changed", now.version, 0, 5), bytesOf("other"));
});

Deno.test("GcsBackend asks a busy issuer again, and tells refusal from silence", async () => {
  const all = servers();
  const { issuers } = all;
  const source = gatedSourceAt(all, BUCKET);
  issuers.busy.push(503);
  const renewals: string[] = [];
  await using backend = openGcs(source, (status) => renewals.push(status));
  await backend.list("", null, never);
  assert.deepEqual(renewals, ["failure", "success"]);

  const keyFile = async (name: string, key: unknown) => {
    await Deno.writeTextFile(`${all.directory}/${name}`, JSON.stringify(key));
    const auth = { method: "service_account", keyFile: `${all.directory}/${name}` } as const;
    return openGcs({ ...source, auth });
  };
  const uri = `http://127.0.0.1:${CLOSED_PORT}/token`;
  await using silent = await keyFile("silent.json", issuers.key(uri));
  const outage = await failsWith("unavailable", silent.list("", null, never));
  assert.match(outage.message, /no Google access token \(connection refused by 127\.0\.0\.1/);

  const other = { ...issuers.key(), private_key: await otherKey() };
  await using deleted = await keyFile("deleted.json", other);
  const refused = await failsWith("denied", deleted.list("", null, never));
  assert.match(
    refused.message,
    /no Google access token .*400 invalid_grant: Invalid JWT Signature/,
  );
  assert.match(refused.hint ?? "", /Check the key in ".*deleted\.json"/);

  await using damaged = await keyFile("damaged.json", { ...issuers.key(), private_key: "hunter2" });
  const unread = await failsWith("denied", damaged.list("", null, never));
  assert.match(unread.message, /is no key in PEM/);
  for (const error of [outage, refused, unread]) {
    assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), /hunter2|PRIVATE|eyJ/);
  }
});

Deno.test("GcsBackend reads a key that was replaced, without being opened again", async () => {
  const { issuers, gate, directory } = servers();
  const path = `${directory}/rotated.json`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({ ...issuers.key(), private_key: await otherKey() }),
  );
  const auth = { method: "service_account", keyFile: path } as const;
  await using backend = openGcs({ ...gcsSourceAt(gate.endpoint, BUCKET), auth });
  await failsWith("denied", backend.list("", null, never));
  await Deno.writeTextFile(path, JSON.stringify(issuers.key()));
  // What failed is asked for again after a second.
  await eventually(
    "the new key is used",
    () => backend.list("", null, never).then(() => true, () => false),
  );
});
