/** Sessions of a role that end while a bucket is read through a real mount. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { mountS3, readFor, ROLE } from "./support/renewal_trial.ts";

const REFRESHED = 'warpdrive_auth_refresh_total{provider="aws_sts",status="success"}';

Deno.test("sessions of 4 s are renewed for 20 s, and no read fails", async () => {
  await using world = await mountS3(4_000, 120_000);
  const { reads, failures } = await readFor(world, 20_000);
  deepEqual(failures, []);
  deepEqual(world.gate.refused, [], "no request goes out in a session that has ended");
  ok(reads > 50, `${reads} reads`);
  const given = world.sessions.all.length;
  ok(given >= 5, `${given} sessions`);
  equal((await world.mounted.metrics()).get(REFRESHED), given);
  deepEqual(new Set(world.sts.seen), new Set([`${ROLE} warpdrive-data 3600`]));
});
