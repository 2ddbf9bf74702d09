/** Tells people and the service manager that the mount is there. */
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { TaskGroup } from "../cache/platform/limit.ts";
import { within } from "../cache/platform/within.ts";
import type { MountConfig } from "./config.ts";
import type { HealthMonitor } from "./health.ts";
import { setReadAhead } from "./mount_point.ts";
import { notifySettings, ServiceNotifier } from "./notify.ts";
import type { Served, Surroundings } from "./serve_kernel.ts";

/** Longest wait for the mount to show its root. */
const READY_TIMEOUT_MS = 30_000;

/** What heartbeats stand on. */
export interface Watch {
  readonly liveness: HealthMonitor;
  readonly background: TaskGroup;
  /** Aborts when the mount has ended, whoever ended it. */
  readonly gone: AbortSignal;
}

/** Says that the mount is there, once it is listable, and keeps the service manager informed. */
export async function announce(
  config: MountConfig,
  { features, mountedHere }: Served,
  { context, libc, machine }: Surroundings,
  { liveness, background, gone }: Watch,
): Promise<ServiceNotifier | null> {
  const { logger, clock, env } = context;
  await setReadAhead(config.mountPoint, config.fuse.readAheadBytes, machine, logger);
  await listable(config.mountPoint, clock);
  const names = config.backends.map(({ name }) => name);
  logger.info("Ready", {
    event: "ready",
    mount_point: config.mountPoint,
    backends: names,
    passthrough: features.passthrough,
    protocol: `7.${features.minor}`,
    pid: Deno.pid,
  });
  const settings = notifySettings(env, Deno.pid);
  if (settings === null) return null;
  const notifier = new ServiceNotifier(
    (message) => libc.sendDatagram(settings.socket, new TextEncoder().encode(message)),
    logger,
  );
  notifier.ready(`Serving ${names.length} backends at ${config.mountPoint}`);
  if (settings.heartbeatMs !== null) {
    // Unmounted from outside, nothing can be asked there any more; stopMount sees to the end.
    const alive = async (signal: AbortSignal) =>
      (await liveness.report(signal)).status === "ok" || !await mountedHere();
    const heartbeat = { intervalMs: settings.heartbeatMs, clock, alive };
    background.add(notifier.beat(heartbeat, gone));
  }
  return notifier;
}

/** The first answer of the mount has gone through the kernel and the whole loop. */
async function listable(mountPoint: string, clock: CommandContext["clock"]): Promise<void> {
  await within(Deno.stat(mountPoint), READY_TIMEOUT_MS, clock, () =>
    new CommandError(
      "failed",
      `Cannot list "${mountPoint}" after mounting: no answer within 30s`,
      "Run it again with --debug to see what it waits for",
    ));
}
