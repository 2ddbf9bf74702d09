/** Whether each backend lets the mount in, with the credentials it is given. */
import { tryAccess } from "../../cache/backend/access/access_trial.ts";
import type { Backend } from "../../cache/backend/backend.ts";
import type { BackendSettings, Source } from "../../cache/backend/settings.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { hintOf } from "../../cache/platform/exit.ts";
import { Semaphore } from "../../cache/platform/limit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { bad, type Finding } from "../../cache/platform/finding.ts";

/** A check is for a person who waits: shorter than the timeout a mount is patient with. */
const TIMEOUT_MS_MAX = 10_000;
const BACKENDS_AT_ONCE = 8;
/** "warpdrive ctl doctor" compares clocks; here only what the store says of them is known. */
const UNKNOWN = () => Promise.resolve(null);

/** Opens a backend as the mount would; the check closes it. */
export type OpenForCheck = (settings: BackendSettings) => Promise<Backend>;

/** Asks every backend, several at once; findings in the order of the configuration. */
export async function checkBackends(
  backends: readonly BackendSettings[],
  open: OpenForCheck,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const turns = new Semaphore("backend checks", BACKENDS_AT_ONCE, backends.length);
  return await Promise.all(backends.map(async (settings) => {
    using _turn = await turns.acquire(signal);
    return await checkBackend(settings, open, clock, signal);
  }));
}

async function checkBackend(
  settings: BackendSettings,
  open: OpenForCheck,
  clock: Clock,
  signal: AbortSignal,
): Promise<Finding> {
  const subject = `backend ${JSON.stringify(settings.name)}`;
  try {
    const timeoutMs = Math.min(settings.timeoutMs, TIMEOUT_MS_MAX);
    await using backend = await open({ ...settings, timeoutMs });
    return await tryAccess(subject, settings, backend, { clock, skewMs: UNKNOWN }, signal);
  } catch (error) {
    signal.throwIfAborted();
    return bad(subject, describeError(error), hintOf(error) ?? failureRemedy(settings.source));
  }
}

function failureRemedy(source: Source): string {
  switch (source.type) {
    case "local":
      return "Create the directory, or correct config.root";
    case "azureblob":
    case "s3":
    case "gcs":
      return "Check its config and auth";
  }
}
