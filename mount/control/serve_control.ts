/** The control sockets of a mount as its configuration wants them, and the server behind them. */
import type { CommandContext } from "../../cache/platform/cli.ts";
import { describeError, type Logger } from "../../cache/platform/log.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import type { ControlSettings } from "../config.ts";
import { BOUNDS, ControlServer } from "./control_server.ts";
import { ControlSockets } from "./control_sockets.ts";
import { Router } from "./router.ts";
import { controlRoutes, type ControlSources } from "./routes.ts";

/**
 * Makes the sockets; clients wait from now on. Null when there are to be none, or when there can be
 * none in a place that nobody chose: that is no reason not to mount.
 *
 * @throws {CommandError} when they cannot be made where the configuration says.
 */
export function openControlSockets(
  settings: ControlSettings | null,
  libc: Libc,
  logger: Logger,
): ControlSockets | null {
  if (settings === null) return null;
  const { place, group } = settings;
  if (place.kind === "nowhere") {
    logger.info("Mount without control sockets", { reason: place.reason });
    return null;
  }
  const { path: directory, chosen } = place;
  try {
    return ControlSockets.open({ directory, removeDirectory: !chosen, group }, libc);
  } catch (error) {
    if (chosen || group !== null) throw error;
    logger.warn("Mount without control sockets", { reason: describeError(error) });
    return null;
  }
}

/** Answers on `sockets` until disposed. */
export function serveControl(
  sockets: ControlSockets | null,
  sources: ControlSources,
  libc: Libc,
  { clock, logger }: Pick<CommandContext, "clock" | "logger">,
): ControlServer | null {
  if (sockets === null) return null;
  const router = new Router(controlRoutes(sources));
  return ControlServer.open(sockets, router, { libc, clock, logger, bounds: BOUNDS });
}
