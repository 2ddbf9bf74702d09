import { deepEqual, equal } from "node:assert/strict";
import type { HealthState } from "../../../cache/backend/guard/health.ts";
import type { CacheState } from "../../../cache/disk/cache_health.ts";
import type { CacheSettings } from "../../../cache/config/cache_config.ts";
import { STATUS_ANSWER } from "../../../ctl/api_status.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import type { Caller } from "../route.ts";
import { statusRoute, type StatusSources } from "./status.ts";

const CALLER: Caller = { uid: 1, gid: 1, groups: [], pid: 1, socket: "user" };
const CACHE: CacheSettings = {
  path: "/cache",
  sizeBytesMax: 1_000,
  blockBytes: 1,
  readaheadBlocks: 1,
  fetchesMax: 1,
  offlineTtlMs: 1,
  highWater: 0.9,
  lowWater: 0.8,
  policy: "adaptive",
};

interface World {
  readonly clock: FakeClock;
  readonly backend: HealthState;
  readonly cache: CacheState | null;
  /** That of its store; undefined where nothing is known of its names. */
  readonly expiresMs?: number;
  readonly silence?: { readonly reason: string; readonly sinceMs: number } | null;
}

/** The answer of a mount that is so, and was mounted now. */
function statusOf({ clock, backend, cache, silence, expiresMs }: World) {
  const source = { type: "local", root: "/srv" } as const;
  const settings = { name: "a", mountPath: "b", timeoutMs: 1, requestsMax: 1, source };
  const sources: StatusSources = {
    config: { mountPoint: "/mnt", backends: [settings], cache: cache === null ? null : CACHE },
    clock,
    pid: 7,
    uid: 8,
    kernelRelease: "6.18.0",
    features: { minor: 45, passthrough: true, prune: false },
    fileSystem: { nodes: 3, openFiles: 2 },
    cache: cache === null ? null : {
      usage: { usedBytes: 10, objects: 4 },
      health: { state: cache },
      operations: { pinnedBytes: 5 },
    },
    plans: { size: 1 },
    warm: { running: 6 },
    offline: new Map(
      silence === undefined ? [] : [
        ["a", { silence: () => Promise.resolve(silence) }],
      ],
    ),
    health: new Map([["a", { state: backend }]]),
    credentials: new Map([["a", () => expiresMs ?? null]]),
  };
  const route = statusRoute(sources);
  return async () => {
    const outcome = await route.run({}, CALLER, new AbortController().signal);
    if (outcome.kind !== "answered") throw new Error(`The call ended ${outcome.kind}`);
    return STATUS_ANSWER.parse(outcome.body);
  };
}

Deno.test("Status tells since when a mount is there", async () => {
  const clock = new FakeClock();
  await clock.advance(5_000);
  const ask = statusOf({ clock, backend: { state: "healthy", latencyMs: null }, cache: null });
  await clock.advance(90_500);
  const { mount, kernel, cache } = await ask();
  deepEqual([mount.started, mount.uptime_seconds], ["1970-01-01T00:00:05.000Z", 90]);
  deepEqual([mount.pid, mount.uid, mount.nodes, mount.open_files], [7, 8, 3, 2]);
  deepEqual([mount.plans, mount.warm_jobs], [1, 6]);
  deepEqual(kernel, { release: "6.18.0", protocol: "7.45", passthrough: true, prune: false });
  equal(cache, null);
});

Deno.test("Status tells which backend does not answer, since when and why", async () => {
  const clock = new FakeClock();
  const backend = { state: "degraded", sinceMs: 60_000, reason: "no route" } as const;
  const { backends } = await statusOf({ clock, backend, cache: null })();
  deepEqual(backends, [{
    ...{ name: "a", type: "local", mount_path: "b", state: "degraded", latency_ms: null },
    ...{ reason: "no route", since: "1970-01-01T00:01:00.000Z", credential_expires: null },
    ...{ names_from: "store", silent_reason: null, silent_since: null },
  }]);
});

Deno.test("Status tells when the credential in use ends", async () => {
  const backend = { state: "healthy", latencyMs: null } as const;
  const world = { clock: new FakeClock(), backend, cache: null, expiresMs: 20_000 };
  const { backends } = await statusOf(world)();
  equal(backends[0]?.credential_expires, "1970-01-01T00:00:20.000Z");
});

Deno.test("Status tells how fast a backend answers, to a microsecond", async () => {
  const backend = { state: "healthy", latencyMs: 1.23456 } as const;
  const { backends } = await statusOf({ clock: new FakeClock(), backend, cache: null })();
  deepEqual(backends.map(({ latency_ms }) => latency_ms), [1.235]);
});

Deno.test("Status tells that the cache is bypassed, and what it holds", async () => {
  const cache = { kind: "bypassed", sinceMs: 1_000, reason: "EIO" } as const;
  const backend = { state: "healthy", latencyMs: null } as const;
  deepEqual((await statusOf({ clock: new FakeClock(), backend, cache })()).cache, {
    ...{ path: "/cache", policy: "adaptive", state: "bypassed", reason: "EIO" },
    ...{ since: "1970-01-01T00:00:01.000Z", used_bytes: 10, size_bytes_max: 1_000, objects: 4 },
    pinned_bytes: 5,
  });
});

Deno.test("Status tells whose names are shown while a store is silent", async () => {
  const backend = { state: "healthy", latencyMs: null } as const;
  const world = { clock: new FakeClock(), backend, cache: null };
  const silence = { reason: "no answer for 5s", sinceMs: 3_000 };
  const [silent] = (await statusOf({ ...world, silence })()).backends;
  deepEqual([silent?.names_from, silent?.silent_reason, silent?.silent_since], [
    "known",
    "no answer for 5s",
    "1970-01-01T00:00:03.000Z",
  ]);
  const [answering] = (await statusOf({ ...world, silence: null })()).backends;
  equal(answering?.names_from, "store");
});
