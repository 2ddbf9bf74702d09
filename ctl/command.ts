/** `warpdrive ctl`: the table of its commands, each loaded when it runs. */
import type { Command } from "../cache/platform/cli.ts";
import { type CommandRow, runCommandOf } from "../cache/platform/command_table.ts";

/** Every command, in the order help shows them. */
export const CTL_COMMANDS: readonly CommandRow[] = [
  {
    name: "doctor",
    summary: "look at everything a mount needs, and say what to do",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
];

const EXAMPLES = `
Examples:
  warpdrive ctl doctor --config /etc/warpdrive/config.yaml
  warpdrive ctl doctor --quick --format json

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.`;

/** `warpdrive ctl`. */
export const ctlCommand: Command = {
  run: (args, context) =>
    runCommandOf(
      {
        path: "ctl",
        rows: CTL_COMMANDS,
        describe: (parser) =>
          parser.description("Look after mounts and their caches.").addHelpText("after", EXAMPLES),
      },
      args,
      context,
    ),
};
