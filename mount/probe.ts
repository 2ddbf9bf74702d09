/**
 * Asks every backend once before anything is mounted, so that a mistake in the configuration is an
 * error at the start and not an empty directory later.
 *
 * A store that knows no such container is such a mistake. One that does not answer may just be
 * down: it is mounted with a warning and comes by itself, unless a URL on the command line names
 * it, where somebody waits for it, and nothing of it is known to be shown. So is one that refuses
 * the credentials, where another backend lets the mount in: a key that expired takes its own paths
 * away, not those of others.
 */
import { BackendError } from "../cache/backend/backend.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { CommandError, hintOf } from "../cache/platform/exit.ts";
import { describeError, type Logger } from "../cache/platform/log.ts";
import { within } from "../cache/platform/within.ts";
import { isOutage } from "./fs/offline.ts";
import type { Volume } from "./fs/volume.ts";

/** Longest wait for a store. */
const TIMEOUT_MS = 10_000;
const CHECK_HINT = "Run `warpdrive mount --check` with the same arguments to see all that is wrong";

/** What of a volume a probe looks at. */
type ProbedVolume = Pick<Volume, "name" | "backend" | "offline">;

/** What to do about a store that does not answer. */
export type WhenSilent = "warn" | "refuse";

/**
 * Lists the root of every volume, all at once.
 *
 * @throws {CommandError} naming every backend that cannot be used, with why and what to do.
 */
export async function probeVolumes(
  volumes: readonly ProbedVolume[],
  whenSilent: WhenSilent,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const answers = await Promise.all(volumes.map(async (volume) => {
    const error = await failureOf(volume, clock, signal);
    volume.offline?.failed(error);
    const known = isOutage(error) && await volume.offline?.isRootKnown() === true;
    return { name: volume.name, error, known };
  }));
  signal.throwIfAborted();
  const failed = answers.filter(({ error }) => error !== null);
  const someUsable = failed.length < answers.length;
  const wrong = failed.filter(({ error, known }) => {
    if (isRefused(error)) return whenSilent === "refuse" || !someUsable;
    return isMistake(error) || (whenSilent === "refuse" && !known);
  });
  if (wrong.length === 0) {
    for (const { name, error, known } of failed) {
      logger.warn(warningOf(error, known), { backend: name, error, hint: hintOf(error) });
    }
    return;
  }
  const lines = wrong.map(({ error }) => describeError(error));
  const hint = wrong.map(({ error }) => hintOf(error)).find((text) => text !== null);
  throw new CommandError("failed", lines.join("\n"), hint ?? CHECK_HINT);
}

async function failureOf(
  { name, backend }: ProbedVolume,
  clock: Clock,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    await within(backend.list("", null, signal), TIMEOUT_MS, clock, () => silent(name));
    return null;
  } catch (error) {
    return error;
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof BackendError && error.code === "denied";
}

function isMistake(error: unknown): boolean {
  return error instanceof BackendError && (error.code === "not_found" || error.code === "invalid");
}

function warningOf(error: unknown, known: boolean): string {
  if (isRefused(error)) return "A store refuses a backend: its paths are EACCES until it does not";
  return known
    ? "A backend does not answer: what is known of it serves until it does"
    : "A backend does not answer: its paths fail until it does";
}

function silent(name: string): BackendError {
  const hint = "Check the endpoint and the network to it";
  return new BackendError("timeout", name, "list", "", "no answer within 10s", hint);
}
