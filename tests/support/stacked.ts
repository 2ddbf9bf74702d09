/** Backends as a mount uses them, under all decorators. */
import type { Backend } from "../../cache/backend/backend.ts";
import type { BackendMetrics } from "../../cache/backend/guard/metered.ts";
import { type OpenedBackend, openRemote } from "../../cache/backend/open.ts";
import { FetchBuffers } from "../../cache/fetch/fetch_buffers.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { silentLogger } from "../../cache/platform/log.ts";

/** Metrics that go nowhere. */
export const UNCOUNTED: BackendMetrics = {
  request: () => {},
  error: () => {},
  bytesRead: () => {},
  hedge: () => {},
  authRefresh: () => {},
};

const libc = Libc.open();
/** Memory for second requests. */
const HEDGE_BYTES = 16 * 1024 * 1024;

/** `bare` under all decorators, with retries, deadlines and second requests. */
export function stacked(bare: Backend, timeoutMs: number, metrics = UNCOUNTED): OpenedBackend {
  const { name } = bare;
  // Of the settings, nobody asks for the source: `bare` has been opened by it.
  const source = { type: "local", root: "/" } as const;
  const settings = { name, mountPath: name, timeoutMs, requestsMax: 4, source };
  const hedges = new FetchBuffers(HEDGE_BYTES);
  const clock = systemClock;
  const deps = { clock, random: () => 0, logger: silentLogger, metrics, libc, hedges };
  return openRemote(bare, settings, deps);
}
