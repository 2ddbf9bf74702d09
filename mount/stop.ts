/**
 * How a mount ends: by a signal, by an unmount from outside, or because the kernel gave it up.
 *
 * A signal asks for an unmount. While someone holds the mount it goes on answering and tries
 * again; after `timeoutMs`, or at a second signal, it is detached from the tree regardless.
 *
 * An unmount from outside need not end the session: umount(2) leaves the mount in every other
 * namespace that has it, such as a container's, and a lazy one leaves it to open files, open
 * directories and working directories. Which of them, this process cannot tell, but for the files
 * it has open: those are served until they are closed, and everybody else for `timeoutMs`.
 */
import type { CommandContext } from "../cache/platform/cli.ts";
import { EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { formatDuration } from "../cache/platform/units.ts";
import { describeHolders, holdersOf } from "./holders.ts";
import type { MountedHere } from "./mounted_here.ts";
import type { ServiceNotifier } from "./notify.ts";

/** Pause between attempts to unmount a busy mount. */
const RETRY_MS = 250;
/** Pause between looks for an unmount from outside. */
const LOOK_MS = 2_000;

/** What ends a mount. */
export interface Stopping {
  readonly mountPoint: string;
  /** Resolves with the reason when the session ends. */
  readonly ended: Promise<string>;
  /** Unmounts; false when the mount is busy. */
  readonly detach: (lazy: boolean) => Promise<boolean>;
  readonly mountedHere: MountedHere;
  readonly openFiles: () => number;
  readonly notifier: ServiceNotifier | null;
  readonly context: CommandContext;
  /** How long holders may keep the mount after a signal. */
  readonly timeoutMs: number;
}

/** Waits until the mount has ended and returns the exit code. */
export async function stopMount(stopping: Stopping): Promise<ExitCode> {
  const { mountPoint, context: { signal, logger } } = stopping;
  const isGone = async () => !await stopping.mountedHere();
  const first = await waitUntil(isGone, LOOK_MS, signal, stopping);
  const next = first === "so it is" ? await serveElsewhere(stopping) : first;
  if (next === "signal") {
    stopping.notifier?.stopping(`Unmounting ${mountPoint}`);
    await unmount(stopping);
    logger.info("Unmounted", { event: "unmounted", mount_point: mountPoint });
    return EXIT.done;
  }
  logger.info("The mount ended", { mount_point: mountPoint, reason: next.ended });
  return next.ended === "unmounted" ? EXIT.done : EXIT.failed;
}

/** After an unmount from outside: serves whoever still has the mount. */
async function serveElsewhere(stopping: Stopping): Promise<"signal" | Ended> {
  const { mountPoint, timeoutMs, context: { clock, signal, logger } } = stopping;
  const openFiles = stopping.openFiles();
  if (openFiles > 0) {
    const message = "The mount was unmounted while files are open: they are served until closed";
    logger.warn(message, { mount_point: mountPoint, open_files: openFiles });
    stopping.notifier?.status(`Unmounted from ${mountPoint}, serves files that are open`);
  }
  const endMs = clock.monotonicMs() + timeoutMs;
  // Before Linux 5.8 a reader of a table that changes may miss a line: it is looked at again.
  const isOver = async () =>
    clock.monotonicMs() >= endMs && stopping.openFiles() === 0 && !await stopping.mountedHere();
  const next = await waitUntil(isOver, RETRY_MS, signal, stopping);
  if (next !== "so it is") return next;
  endElsewhere("unmounted, and no file is open", stopping);
  return { ended: "unmounted" };
}

async function unmount(stopping: Stopping): Promise<void> {
  const { mountPoint, timeoutMs, context: { clock, logger, forceSignal } } = stopping;
  const endMs = clock.monotonicMs() + timeoutMs;
  const isLate = () => clock.monotonicMs() >= endMs;
  let told = false;
  // Where someone else took the mount away, what lies there now is not ours.
  while (await stopping.mountedHere() && !await stopping.detach(false)) {
    if (!told) {
      told = true;
      logger.warn("The mount is busy: it is served until its holders let go", {
        mount_point: mountPoint,
        holders: describeHolders(await holdersOf(mountPoint)),
        detached_after: formatDuration(timeoutMs),
      });
    }
    const left = endMs - clock.monotonicMs();
    const pauseMs = Math.max(0, Math.min(RETRY_MS, left));
    const next = await waitUntil(() => true, pauseMs, forceSignal, stopping);
    if (next !== "so it is" && next !== "signal") return;
    if (next === "signal" || isLate()) {
      logger.warn("Detach the mount although it is busy", {
        mount_point: mountPoint,
        because: next === "signal" ? "second signal" : "timeout",
      });
      await stopping.detach(true);
      return;
    }
  }
  // What was in flight is answered: the kernel ends the session only then. What still has the
  // mount, in a namespace of its own say, is served no longer than other holders.
  const next = await waitUntil(isLate, RETRY_MS, forceSignal, stopping);
  if (next === "signal") endElsewhere("second signal", stopping);
  if (next === "so it is") endElsewhere("timeout", stopping);
}

function endElsewhere(because: string, { mountPoint, context: { logger } }: Stopping): void {
  const message = "End the mount although something still has it: another mount namespace, " +
    "or a working directory";
  logger.warn(message, { mount_point: mountPoint, because });
}

/** The session has ended, and why. */
interface Ended {
  readonly ended: string;
}

/** Looks every `ms` whether something is so, until it is, `signal` aborts or the session ends. */
async function waitUntil(
  isSo: () => boolean | Promise<boolean>,
  ms: number,
  signal: AbortSignal,
  { ended, context: { clock } }: Stopping,
): Promise<"so it is" | "signal" | Ended> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  const look = async () => {
    do {
      const slept = await clock.sleep(ms, either).then(() => true, () => false);
      if (!slept) return "signal";
    } while (!await isSo());
    return "so it is";
  };
  try {
    return await Promise.race([look(), ended.then((reason) => ({ ended: reason }))]);
  } finally {
    settled.abort();
  }
}
