import assert from "node:assert/strict";
import { identityHash } from "./identity_hash.ts";

Deno.test("identityHash gives the numbers it always gave", () => {
  // These are st_ino values users have stored: a change breaks incremental backups.
  assert.deepEqual(
    [identityHash(0, ""), identityHash(0, "train"), identityHash(2 ** 52, "shard-000000.tar")],
    GOLDEN,
  );
});

Deno.test("identityHash keeps a million similar paths apart", () => {
  const seen = new Set<number>();
  for (let index = 0; index < 1_000_000; index += 1) {
    const parent = identityHash(0, `dir-${index % 1000}`);
    seen.add(identityHash(parent, `file-${Math.floor(index / 1000)}`));
  }
  assert.equal(seen.size, 1_000_000);
  for (const value of seen) assert.ok(Number.isSafeInteger(value) && value >= 0);
});

const GOLDEN = [6956829145621842, 7647632206653309, 2728010923947617];
