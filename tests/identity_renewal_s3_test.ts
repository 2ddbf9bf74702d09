/** Credentials that end while real mounts are read: of Azure, S3 and Cloud Storage at once. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { eventually } from "./support/eventually.ts";
import { readDirect } from "./support/mount_reader.ts";
import type { LogRecord } from "./support/program.ts";
import { onEveryStore, readWhile, renewals } from "./support/renewal_trial.ts";

const TEST_MS_MAX = 120_000;

Deno.test("credentials of 6 s are renewed on every store, and no read fails", async () => {
  await onEveryStore(6_000, TEST_MS_MAX, async (world) => {
    const { issuer } = world;
    const { reads, failures } = await readWhile(
      world,
      () => eventually("it is renewed twice", () => Promise.resolve(issuer.issued() >= 3)),
    );
    deepEqual(failures, []);
    deepEqual(world.refused(), [], "no request goes out with what has ended");
    ok(reads > 10, `${reads} reads`);
    await eventually(
      "all are counted",
      async () => await renewals(world, "success") === issuer.issued(),
    );
  });
});

Deno.test("an issuer of any store is busy, refuses and comes back", async () => {
  await onEveryStore(8_000, TEST_MS_MAX, async (world) => {
    const { issuer, mounted, paths: [path = ""] } = world;
    // Reads go on with the old one while it is busy.
    issuer.busy();
    const { failures } = await readWhile(
      world,
      () => eventually("it is renewed", () => Promise.resolve(issuer.issued() >= 2)),
    );
    deepEqual(failures, []);
    equal(await renewals(world, "failure"), 1);

    // One that was withdrawn is renewed once, and nobody notices.
    const before = issuer.issued();
    issuer.revokeAll();
    equal((await readDirect(path)).kind, "read");
    equal(issuer.issued(), before + 1);
    ok(world.refused().every((why) => /expired/i.test(why)), world.refused().join());

    // Reads fail with EACCES once it refuses for good, and its last one has ended.
    issuer.live(1_000);
    issuer.revokeAll();
    await eventually("it gave out a short one", async () => {
      await readDirect(path);
      return issuer.issued() > before + 1;
    });
    issuer.refuse();
    const record = await eventually("reads fail for what the issuer says", async () => {
      const outcome = await readDirect(path);
      if (outcome.kind === "failed") match(outcome.said, /Permission denied/);
      const why = ({ fields }: LogRecord) => issuer.said.test(JSON.stringify(fields));
      return mounted.program.log.find(why) ?? null;
    });
    match(JSON.stringify(record.fields), issuer.hint);

    // They work again soon after it gives out others.
    issuer.live(60_000);
    issuer.heal();
    await eventually("a read works", async () => (await readDirect(path)).kind === "read");
  });
});
