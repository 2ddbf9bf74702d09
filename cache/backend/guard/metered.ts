/** Counts what is asked of a store, as attempts: a retried operation counts each time. */
import { type Backend, BackendError } from "../backend.ts";
import { decorate } from "./decorate.ts";
import type { HedgeResult } from "./hedge.ts";
import type { Clock } from "../../platform/clock.ts";

/** Where the figures of all backends go. */
export interface BackendMetrics {
  /** One attempt took `seconds`, whether it succeeded or not. */
  request(backend: string, operation: string, seconds: number): void;
  /** One attempt failed; `errorType` is a `BackendErrorCode`, or `internal` for a bug. */
  error(backend: string, errorType: string): void;
  /** Bytes of objects that arrived, also those of a read that failed later. */
  bytesRead(backend: string, bytes: number): void;
  /** A second request was sent for a read that stalled; whether its bytes were used. */
  hedge(backend: string, result: HedgeResult): void;
  /** A credential was asked for anew; `provider` is who issues it, such as `entra`. */
  authRefresh(provider: string, status: "success" | "failure"): void;
}

/** `inner` with every attempt timed and counted. An attempt its caller gave up is no error. */
export function metered(inner: Backend, metrics: BackendMetrics, clock: Clock): Backend {
  return decorate(inner, async (call) => {
    const startedMs = clock.monotonicMs();
    const count = call.operation === "read"
      ? (bytes: number) => metrics.bytesRead(inner.name, bytes)
      : () => {};
    try {
      return await call.run(call.signal, count);
    } catch (error) {
      const cause = call.signal.aborted ? call.signal.reason : error;
      // A deadline aborts with a BackendError of its own, a caller with anything else.
      if (cause instanceof BackendError) metrics.error(inner.name, cause.code);
      else if (!call.signal.aborted) metrics.error(inner.name, "internal");
      throw error;
    } finally {
      metrics.request(inner.name, call.operation, (clock.monotonicMs() - startedMs) / 1000);
    }
  });
}
