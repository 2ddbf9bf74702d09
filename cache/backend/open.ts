/** From the settings of a backend to the backend that the rest of the program uses. */
import { AdaptiveLimit, observed } from "./guard/adaptive_limit.ts";
import type { Backend } from "./backend.ts";
import { deadline } from "./guard/deadline.ts";
import { type BackendHealth, HealthGuard } from "./guard/health.ts";
import type { HedgeResult } from "./guard/hedge.ts";
import { hedged, type HedgeMemory } from "./guard/hedged.ts";
import { limited, requestTurns } from "./guard/limited.ts";
import { LocalBackend, type LocalFiles } from "./local/backend.ts";
import { timedFiles } from "./local/timed.ts";
import { type BackendMetrics, metered } from "./guard/metered.ts";
import { retry, type RetryPolicy } from "./guard/retry.ts";
import type { BackendSettings } from "./settings.ts";
import type { Clock } from "../platform/clock.ts";
import type { Libc } from "../platform/libc.ts";
import type { Logger } from "../platform/log.ts";

/** A backend ready for use; closing `backend` closes everything. */
export interface OpenedBackend {
  readonly backend: Backend;
  readonly health: BackendHealth;
  /** How many requests the store bears at the moment; reads of many bytes should keep to it. */
  readonly limit: AdaptiveLimit;
  /** The files behind a local backend; null for all others. */
  readonly files: LocalFiles | null;
  /** When the credential in use ends, in milliseconds since the epoch; null: never, or unknown. */
  readonly credentialExpiresMs: () => number | null;
}

/** What backends are built with; `random` gives numbers in [0, 1). */
export interface BackendDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: BackendMetrics;
  readonly libc: Libc;
  /** Buffers of second requests for ranges that stall. */
  readonly hedges: HedgeMemory;
}

/**
 * An object asked for to see whether a store answers: that costs one HEAD and a listing of at most
 * one key, and that there is no such object is as good an answer as any.
 */
export const PROBE_NAME = ".warpdrive-probe";

/** Attempts that fit in the time an operation may be quiet, so that a stalled one is repeated. */
const ATTEMPTS_PER_TIMEOUT = 3;

/**
 * Opens the backend that `settings` describe, without asking its store for anything: a store may
 * be down when a mount starts.
 */
export async function openBackend(
  settings: BackendSettings,
  deps: BackendDeps,
): Promise<OpenedBackend> {
  const { name, source } = settings;
  switch (source.type) {
    case "local": {
      const local = new LocalBackend(name, source.root, deps.libc);
      const tried = metered(local, deps.metrics, deps.clock);
      // What a disk answers, it answers again: no second attempt.
      const stack = deadline(
        limited(tried, requestTurns(name, settings.requestsMax)),
        settings.timeoutMs,
        deps.clock,
      );
      const files = timedFiles(local, name, settings.timeoutMs, deps.clock, deps.libc);
      const limit = new AdaptiveLimit(settings.requestsMax);
      return guard(stack, deadline(tried, settings.timeoutMs, deps.clock), limit, files, deps);
    }
    case "azureblob": {
      // The SDK takes a third of a second to load, which a mount without Azure need not pay.
      const { AzureBackend } = await import("./azure/backend.ts");
      const azure = AzureBackend.open(name, source, {
        clock: deps.clock,
        random: deps.random,
        onRenewal: (status, provider) => deps.metrics.authRefresh(provider, status),
      });
      return {
        ...openRemote(azure, settings, deps),
        credentialExpiresMs: () => azure.credentialExpiresMs,
      };
    }
    case "s3": {
      // As above.
      const { S3Backend } = await import("./s3/backend.ts");
      const s3 = S3Backend.open(name, source, {
        clock: deps.clock,
        random: deps.random,
        onRenewal: (status, provider) => deps.metrics.authRefresh(provider, status),
      });
      return {
        ...openRemote(s3, settings, deps),
        credentialExpiresMs: () => s3.credentialExpiresMs,
      };
    }
    case "gcs": {
      // As above, though there is little to load before the first token.
      const { GcsBackend } = await import("./gcs/backend.ts");
      const gcs = GcsBackend.open(name, source, {
        clock: deps.clock,
        random: deps.random,
        onRenewal: (status, provider) => deps.metrics.authRefresh(provider, status),
      });
      return {
        ...openRemote(gcs, settings, deps),
        credentialExpiresMs: () => gcs.credentialExpiresMs,
      };
    }
  }
}

/**
 * Stacks the decorators of a store across a network. From the inside out:
 *
 * 1. `metered` sees every attempt as it is on the wire, without waits of our own.
 * 2. `deadline`, the short one, ends an attempt that stalls. It is inside `limited`, because
 *    waiting for a turn is no fault of the attempt.
 * 3. `observed` teaches the adaptive limit from each attempt: retries would hide that the store
 *    asked to slow down.
 * 4. `hedged` repeats a read that stalls while it waits, each of the two watched by all the former.
 * 5. `limited` holds a turn per attempt, not during the pauses between attempts.
 * 6. `retry` sees the failures of all the former.
 * 7. `deadline`, the configured one, bounds what a caller can wait in all, turns and pauses
 *    included.
 * 8. `health` counts what callers were finally told, and answers for a store that is down without
 *    any of the others.
 */
export function openRemote(
  bare: Backend,
  settings: BackendSettings,
  deps: BackendDeps,
): OpenedBackend {
  const { clock, random, metrics, hedges: memory } = deps;
  const attemptMs = Math.ceil(settings.timeoutMs / ATTEMPTS_PER_TIMEOUT);
  const policy: RetryPolicy = {
    attemptsMax: 5,
    pauseFirstMs: 200,
    pauseMaxMs: 5_000,
    retryAfterMaxMs: attemptMs,
    quietMaxMs: settings.timeoutMs,
  };
  const limit = new AdaptiveLimit(settings.requestsMax);
  const tried = observed(deadline(metered(bare, metrics, clock), attemptMs, clock), limit, clock);
  const turns = requestTurns(bare.name, settings.requestsMax);
  const onHedge = (result: HedgeResult) => metrics.hedge(bare.name, result);
  const once = limited(hedged(tried, { clock, limit, turns, memory, onHedge }), turns);
  const retried = retry(once, policy, { clock, random });
  return guard(deadline(retried, settings.timeoutMs, clock), tried, limit, null, deps);
}

function guard(
  stack: Backend,
  probed: Backend,
  limit: AdaptiveLimit,
  files: LocalFiles | null,
  deps: BackendDeps,
): OpenedBackend {
  const health = new HealthGuard(stack, {
    probe: (signal) => probed.stat(PROBE_NAME, signal),
    clock: deps.clock,
    logger: deps.logger,
  });
  return { backend: health.backend, health, limit, files, credentialExpiresMs: () => null };
}
