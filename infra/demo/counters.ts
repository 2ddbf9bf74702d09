/** What a mount has counted, and what of it fell into one part of the demo. */
import { type Sample, total } from "./samples.ts";

/** Of one backend. */
export interface BackendCounters {
  /** Bytes of objects. */
  readonly bytes: number;
  /** HTTP requests, listings included. */
  readonly requests: number;
  readonly errors: number;
}

/** Of a mount, since it started or during a part of the demo. */
export interface Counters {
  readonly hits: number;
  readonly misses: number;
  /** Reads of the kernel that WarpDrive answered. */
  readonly reads: number;
  /** Opens whose reads the kernel serves itself. */
  readonly passthroughOpens: number;
  readonly backends: ReadonlyMap<string, BackendCounters>;
}

const BACKEND_SECONDS = "warpdrive_backend_request_duration_seconds";

/** The counters in `samples`, for the named backends. */
export function countersOf(samples: readonly Sample[], backends: readonly string[]): Counters {
  return {
    hits: total(samples, "warpdrive_cache_hit_total"),
    misses: total(samples, "warpdrive_cache_miss_total"),
    reads: total(samples, "warpdrive_fuse_operations_total", { operation: "read" }),
    passthroughOpens: total(samples, "warpdrive_passthrough_opens_total"),
    backends: new Map(backends.map((backend) => [backend, {
      bytes: total(samples, "warpdrive_backend_bytes_read_total", { backend }),
      requests: total(samples, `${BACKEND_SECONDS}_count`, { backend }),
      errors: total(samples, "warpdrive_backend_errors_total", { backend }),
    }])),
  };
}

/** What was counted from `before` to `after`. */
export function between(before: Counters, after: Counters): Counters {
  return {
    hits: after.hits - before.hits,
    misses: after.misses - before.misses,
    reads: after.reads - before.reads,
    passthroughOpens: after.passthroughOpens - before.passthroughOpens,
    backends: new Map(
      [...after.backends].map(([backend, { bytes, requests, errors }]) => {
        const old = before.backends.get(backend);
        return [backend, {
          bytes: bytes - (old?.bytes ?? 0),
          requests: requests - (old?.requests ?? 0),
          errors: errors - (old?.errors ?? 0),
        }];
      }),
    ),
  };
}

/** The sum over all backends. */
export function ofAllBackends({ backends }: Counters): BackendCounters {
  const all = [...backends.values()];
  return {
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    requests: all.reduce((sum, { requests }) => sum + requests, 0),
    errors: all.reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** Hits of all blocks that were asked for; null when none was. */
export function hitRate({ hits, misses }: Counters): number | null {
  return hits + misses === 0 ? null : hits / (hits + misses);
}
