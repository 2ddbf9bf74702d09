/**
 * How a mount ends: by a signal, by an unmount from outside, or because the kernel gave it up.
 *
 * A signal asks for an unmount. While someone holds the mount it goes on answering and tries
 * again; after `timeoutMs`, or at a second signal, it is detached from the tree regardless.
 */
import type { CommandContext } from "../cache/platform/cli.ts";
import { EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { formatDuration } from "../cache/platform/units.ts";
import { describeHolders, holdersOf } from "./holders.ts";
import type { ServiceNotifier } from "./notify.ts";

/** Pause between attempts to unmount a busy mount. */
const RETRY_MS = 250;

/** What ends a mount. */
export interface Stopping {
  readonly mountPoint: string;
  /** Resolves with the reason when the session ends. */
  readonly ended: Promise<string>;
  /** Unmounts; false when the mount is busy. */
  readonly detach: (lazy: boolean) => Promise<boolean>;
  readonly notifier: ServiceNotifier | null;
  readonly context: CommandContext;
  /** How long holders may keep the mount after a signal. */
  readonly timeoutMs: number;
}

/** Waits until the mount has ended and returns the exit code. */
export async function stopMount(stopping: Stopping): Promise<ExitCode> {
  const { ended, context: { signal, logger }, mountPoint } = stopping;
  const asked = Promise.withResolvers<null>();
  const onAbort = () => asked.resolve(null);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const reason = await Promise.race([ended, asked.promise]);
  signal.removeEventListener("abort", onAbort);
  if (reason !== null) {
    logger.info("The mount ended", { mount_point: mountPoint, reason });
    return reason === "unmounted" ? EXIT.done : EXIT.failed;
  }
  stopping.notifier?.stopping(`Unmounting ${mountPoint}`);
  await unmount(stopping);
  logger.info("Unmounted", { event: "unmounted", mount_point: mountPoint });
  return EXIT.done;
}

async function unmount(stopping: Stopping): Promise<void> {
  const { mountPoint, timeoutMs, context: { clock, logger, forceSignal } } = stopping;
  const endMs = clock.monotonicMs() + timeoutMs;
  let told = false;
  while (!await stopping.detach(false)) {
    if (!told) {
      told = true;
      logger.warn("The mount is busy: it is served until its holders let go", {
        mount_point: mountPoint,
        holders: describeHolders(await holdersOf(mountPoint)),
        detached_after: formatDuration(timeoutMs),
      });
    }
    const left = endMs - clock.monotonicMs();
    const next = left <= 0 ? "force" : await pause(Math.min(RETRY_MS, left), stopping);
    // Someone else took the mount away: what lies there now is not ours.
    if (next === "ended") return;
    if (next === "force") {
      logger.warn("Detach the mount although it is busy", {
        mount_point: mountPoint,
        because: forceSignal.aborted ? "second signal" : "timeout",
      });
      await stopping.detach(true);
      return;
    }
  }
  // What was in flight is answered: the kernel ends the session only then. A container that has the
  // mount in a namespace of its own keeps the session, and is served no longer than other holders.
  for (let next = await pause(RETRY_MS, stopping); next !== "ended";) {
    if (next === "force" || clock.monotonicMs() >= endMs) {
      logger.warn("End the mount although another mount namespace has it", {
        mount_point: mountPoint,
        because: next === "force" ? "second signal" : "timeout",
      });
      return;
    }
    next = await pause(RETRY_MS, stopping);
  }
}

/** Waits `ms`, or less when the session ends or a second signal comes; says which it was. */
async function pause(
  ms: number,
  { ended, context: { clock, forceSignal } }: Stopping,
): Promise<"again" | "ended" | "force"> {
  const slept = clock.sleep(ms, forceSignal).then(() => "again" as const, () => "force" as const);
  return await Promise.race([slept, ended.then(() => "ended" as const)]);
}
