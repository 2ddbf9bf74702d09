/** Tokens of Entra that end while a container is read through a real mount. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { eventually } from "./support/eventually.ts";
import { readDirect } from "./support/mount_reader.ts";
import { mountAzure, readFor } from "./support/renewal_trial.ts";

const REFRESHED = 'warpdrive_auth_refresh_total{provider="entra",status="success"}';
const FAILED = 'warpdrive_auth_refresh_total{provider="entra",status="failure"}';

Deno.test("tokens of 4 s are renewed for 20 s, and no read fails", async () => {
  await using world = await mountAzure(4_000, 120_000);
  const { reads, failures } = await readFor(world, 20_000);
  deepEqual(failures, []);
  deepEqual(world.gate.refused, [], "no request goes out with a token that has ended");
  ok(reads > 50, `${reads} reads`);
  const given = world.entra.tokens.length;
  ok(given >= 5, `${given} tokens`);
  equal((await world.mounted.metrics()).get(REFRESHED), given);
});

Deno.test("an issuer that is busy, refuses and comes back", async (t) => {
  await using world = await mountAzure(14_000, 120_000);
  const { entra, mounted, paths, gate } = world;
  const [path = ""] = paths;
  await t.step("reads go on with the old token while it is busy", async () => {
    entra.fail(503, { error: "busy" }, 2);
    const { failures } = await readFor(world, 15_000);
    deepEqual(failures, []);
    equal((await mounted.metrics()).get(FAILED), 2);
    ok(entra.tokens.length >= 2, "then it gave out another one");
  });
  await t.step("a token that was withdrawn is renewed once, and nobody notices", async () => {
    const before = entra.tokens.length;
    entra.revokeAll();
    equal((await readDirect(path)).kind, "read");
    equal(entra.tokens.length, before + 1);
    ok(gate.refused.every((verdict) => verdict === "expired"), gate.refused.join());
  });
  await t.step("reads fail with EACCES once it refuses for good", async () => {
    entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
    const said = await eventually("a read fails", async () => {
      const outcome = await readDirect(path);
      return outcome.kind === "failed" ? outcome.said : null;
    });
    match(said, /Permission denied/);
    const record = await mounted.program.logged(
      "why",
      ({ fields }) => /Identity not found/.test(JSON.stringify(fields)),
    );
    match(JSON.stringify(record.fields), /Run on an Azure machine with a managed identity/);
  });
  await t.step("reads work again soon after it gives out tokens again", async () => {
    entra.fault = null;
    await eventually("a read works", async () => (await readDirect(path)).kind === "read");
  });
});
