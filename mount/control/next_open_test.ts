import { deepEqual } from "node:assert/strict";
import { describeObject } from "../../cache/operations/object_description.ts";
import { newObject } from "../../tests/support/cached_rows.ts";
import { nextOpen, type OpenFacts } from "./next_open.ts";

const PARTIAL = describeObject({
  row: { ...newObject("a"), id: 1, cachedBytes: 0 },
  object: null,
  blocks: [],
  blockBytes: 4 * 2 ** 20,
  departure: null,
  pinned: false,
});
const COMPLETE = { ...PARTIAL, chunks: { count: 320, present: 320 } };
const READY: OpenFacts = {
  kept: "cached",
  passthrough: true,
  mode: "none",
  cache: { kind: "working" },
  version: COMPLETE,
  isVerified: true,
};
const PASSES = { mode: "passthrough", reason: null };

function reason(facts: Partial<OpenFacts>): string | null {
  return nextOpen({ ...READY, ...facts }).reason;
}

Deno.test("a file that is complete and verified is opened in passthrough", () => {
  deepEqual(nextOpen(READY), PASSES);
});

Deno.test("a file that is open in passthrough is opened so again, whatever else holds", () => {
  deepEqual(nextOpen({ ...READY, mode: "passthrough", version: PARTIAL }), PASSES);
});

Deno.test("a local file is opened in passthrough, unless the kernel does not offer it", () => {
  deepEqual(nextOpen({ ...READY, kept: "in_place", version: null }), PASSES);
  deepEqual(reason({ kept: "in_place", passthrough: false }), "this mount has no passthrough");
});

Deno.test("a file is opened through the daemon for the first reason that holds", () => {
  const bypassed = { kind: "bypassed", sinceMs: 0, reason: "EIO" } as const;
  deepEqual([
    reason({ mode: "cached" }),
    reason({ kept: "read_through", version: null }),
    reason({ cache: bypassed }),
    reason({ version: null }),
    reason({ version: { ...COMPLETE, admission: "evicted" } }),
    reason({ version: PARTIAL, isVerified: false }),
    reason({ isVerified: false }),
  ], [
    "it is open through the daemon, and all opens have to agree",
    "there is no cache",
    "the cache is bypassed: EIO",
    "nothing of this version is cached",
    "it was evicted while it was open",
    "320 of its 320 chunks are not cached",
    "it is verified at its first open since the mount was started",
  ]);
});
