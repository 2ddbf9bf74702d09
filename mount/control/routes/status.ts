/** `GET /v1/status`. */
import { STATUS, type Status } from "../../../ctl/api_status.ts";
import type { BackendHealth } from "../../../cache/backend/guard/health.ts";
import type { CacheHealth } from "../../../cache/disk/cache_health.ts";
import type { Clock } from "../../../cache/platform/clock.ts";
import { COMMIT, VERSION } from "../../../cache/platform/version.ts";
import type { MountConfig } from "../../config.ts";
import type { Offline } from "../../fs/offline.ts";
import type { KernelFeatures } from "../../fuse/handshake.ts";
import { type Route, route } from "../route.ts";

/** What the status is made of. */
export interface StatusSources {
  readonly config: Pick<MountConfig, "mountPoint" | "backends" | "cache">;
  readonly clock: Clock;
  readonly pid: number;
  readonly uid: number;
  readonly kernelRelease: string;
  readonly features: KernelFeatures;
  /** Inodes the kernel knows, and open file handles. */
  readonly fileSystem: { readonly nodes: number; readonly openFiles: number };
  /** What the cache keeps and how its disk does; null without a cache. */
  readonly cache: CacheSource | null;
  readonly plans: { readonly size: number };
  readonly warm: { readonly running: number };
  /** By name of the backend. */
  readonly offline: ReadonlyMap<string, Pick<Offline, "silence"> | null>;
  readonly health: ReadonlyMap<string, Pick<BackendHealth, "state">>;
  readonly credentials: ReadonlyMap<string, () => number | null>;
}

/** A cache as status reports see it. */
export interface CacheSource {
  readonly usage: { readonly usedBytes: number; readonly objects: number };
  readonly health: Pick<CacheHealth, "state">;
  readonly operations: { readonly pinnedBytes: number };
}

/** The route; the mount counts as started now. */
export function statusRoute(sources: StatusSources): Route {
  const { clock } = sources;
  const started = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  return route(STATUS, { sockets: "both", bodyBytesMax: 0 }, async () => {
    const uptimeMs = clock.monotonicMs() - started.monotonicMs;
    const body = {
      mount: mountStatus(sources, started.wallMs, uptimeMs),
      kernel: kernelStatus(sources),
      cache: cacheStatus(sources),
      backends: await backendStatuses(sources),
    };
    return { kind: "answered", body };
  });
}

function mountStatus(
  { config, pid, uid, fileSystem, plans, warm }: StatusSources,
  startedMs: number,
  uptimeMs: number,
): Status["mount"] {
  return {
    mount_point: config.mountPoint,
    pid,
    uid,
    version: VERSION,
    commit: COMMIT,
    started: isoTime(startedMs),
    uptime_seconds: Math.floor(uptimeMs / 1_000),
    nodes: fileSystem.nodes,
    open_files: fileSystem.openFiles,
    plans: plans.size,
    warm_jobs: warm.running,
  };
}

function kernelStatus({ kernelRelease, features }: StatusSources): Status["kernel"] {
  return {
    release: kernelRelease,
    protocol: `7.${features.minor}`,
    passthrough: features.passthrough,
    prune: features.prune,
  };
}

function cacheStatus({ config, cache }: StatusSources): Status["cache"] {
  if (config.cache === null || cache === null) return null;
  const { path, policy, sizeBytesMax } = config.cache;
  const { state } = cache.health;
  const { usedBytes, objects } = cache.usage;
  return {
    path,
    policy,
    state: state.kind,
    reason: state.kind === "bypassed" ? state.reason : null,
    since: state.kind === "bypassed" ? isoTime(state.sinceMs) : null,
    used_bytes: usedBytes,
    size_bytes_max: sizeBytesMax,
    pinned_bytes: cache.operations.pinnedBytes,
    objects,
  };
}

async function backendStatuses(
  { config, health, offline, credentials }: StatusSources,
): Promise<Status["backends"]> {
  return await Promise.all(config.backends.map(async (settings) => {
    const { name, mountPath, source } = settings;
    const expiresMs = credentials.get(name)?.() ?? null;
    const state = health.get(name)?.state ?? { state: "healthy", latencyMs: null };
    const silence = await offline.get(name)?.silence() ?? null;
    const degraded = state.state === "degraded" ? state : null;
    return {
      name,
      type: source.type,
      mount_path: mountPath,
      state: state.state,
      latency_ms: state.state === "healthy" ? rounded(state.latencyMs) : null,
      reason: degraded?.reason ?? null,
      since: degraded === null ? null : isoTime(degraded.sinceMs),
      names_from: silence === null ? "store" : "known",
      silent_reason: silence?.reason ?? null,
      silent_since: silence === null ? null : isoTime(silence.sinceMs),
      credential_expires: expiresMs === null ? null : isoTime(expiresMs),
    };
  }));
}

function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** To a microsecond. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1_000) / 1_000;
}
