/** Whether each backend answers, with the credentials it is given: one page of its root. */
import { type Backend, BackendError } from "../../cache/backend/backend.ts";
import type { BackendSettings, Source } from "../../cache/backend/settings.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { hintOf } from "../../cache/platform/exit.ts";
import { Semaphore } from "../../cache/platform/limit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";

/** A check is for a person who waits: shorter than the timeout a mount is patient with. */
const TIMEOUT_MS_MAX = 10_000;
const BACKENDS_AT_ONCE = 8;

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
  const begun = clock.monotonicMs();
  try {
    const timeoutMs = Math.min(settings.timeoutMs, TIMEOUT_MS_MAX);
    await using backend = await open({ ...settings, timeoutMs });
    const { entries, next } = await backend.list("", null, signal);
    const took = formatDuration(clock.monotonicMs() - begun);
    if (entries.length > 0 || next !== null) return good(subject, `lists its root in ${took}`);
    return doubtful(subject, `answers in ${took}, and holds nothing`, emptyRemedy(settings.source));
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof BackendError ? reasonOf(error) : describeError(error);
    return bad(subject, reason, hintOf(error) ?? failureRemedy(settings.source));
  }
}

function emptyRemedy(source: Source): string {
  switch (source.type) {
    case "local":
      return `Nothing to do, if ${JSON.stringify(source.root)} is the right directory`;
    case "azureblob":
      // A prefix that nobody has is an empty listing, not an error.
      return source.prefix === ""
        ? `Nothing to do, if ${JSON.stringify(source.container)} is the right container`
        : `Nothing to do, if ${JSON.stringify(source.prefix)} is the right prefix`;
    case "s3":
    case "gcs":
      return source.prefix === ""
        ? `Nothing to do, if ${JSON.stringify(source.bucket)} is the right bucket`
        : `Nothing to do, if ${JSON.stringify(source.prefix)} is the right prefix`;
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

function reasonOf(error: BackendError): string {
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.reason}${cause}`;
}
