/** `warpdrive ctl`: the governance command line. Its place; the contents are still to come. */
import type { Command } from "../cache/platform/cli.ts";
import { futureCommand } from "../cache/platform/future_command.ts";

export const ctlCommand: Command = futureCommand(
  "ctl",
  "inspect and steer mounts and the control plane",
);
