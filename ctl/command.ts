/** `warpdrive ctl`: the table of its commands, each loaded when it runs. */
import type { Command } from "../cache/platform/cli.ts";
import {
  type CommandRow,
  type CommandTable,
  runCommandOf,
} from "../cache/platform/command_table.ts";
import type { LoadMountConfig } from "./doctor/doctor_config.ts";

/** A command, some of which need to read the file of a mount. */
type CtlRow = Omit<CommandRow, "load"> & {
  readonly load: (loadConfig: LoadMountConfig) => Promise<Command>;
};

/** Every command, in the order help shows them. */
export const CTL_COMMANDS: readonly CtlRow[] = [
  {
    name: "status",
    summary: "what a mount is, and how each part of it does",
    load: async () => (await import("./commands/status.ts")).statusCommand,
  },
  {
    name: "stats",
    summary: "what the cache holds and what it did, by backend",
    load: async () => (await import("./commands/stats.ts")).statsCommand,
  },
  {
    name: "usage",
    summary: "who takes how much of the cache",
    load: async () => (await import("./commands/usage.ts")).usageCommand,
  },
  {
    name: "stale",
    summary: "what is cached and nobody has read for long",
    load: async () => (await import("./commands/stale.ts")).staleCommand,
  },
  {
    name: "explain",
    summary: "one file: what of it is cached, how it opens, when it leaves",
    load: async () => (await import("./commands/explain.ts")).explainCommand,
  },
  {
    name: "warm",
    summary: "bring data into the cache before they are read",
    load: async () => (await import("./commands/warm.ts")).warmCommand,
  },
  {
    name: "doctor",
    summary: "look at everything a mount needs, and say what to do",
    load: async (loadConfig) => (await import("./commands/doctor.ts")).doctorCommand(loadConfig),
  },
  {
    name: "evict",
    summary: "take data out of the cache",
    load: async () => (await import("./commands/evict.ts")).evictCommand,
  },
  {
    name: "pin",
    summary: "keep data in the cache until it is unpinned",
    load: async () => (await import("./commands/pin.ts")).pinCommand,
  },
  {
    name: "unpin",
    summary: "let data leave the cache again",
    load: async () => (await import("./commands/pin.ts")).unpinCommand,
  },
  {
    name: "verify",
    summary: "reread what is cached, and compare it with its checksums",
    load: async () => (await import("./commands/verify.ts")).verifyCommand,
  },
  {
    name: "job-report",
    summary: "keep what a scheduler says of a job, or list what was kept",
    load: async () => (await import("./commands/job_report.ts")).jobReportCommand,
  },
];

const EXAMPLES = `
Examples:
  warpdrive ctl doctor --config /etc/warpdrive/config.yaml
  warpdrive ctl status
  warpdrive ctl usage /mnt/data --by team --format csv
  warpdrive ctl explain /mnt/data/train/shard-000017.tar

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.`;

/** `warpdrive ctl`, which has the files of mounts read by `loadConfig`. */
export function ctlCommand(loadConfig: LoadMountConfig): Command {
  const table: CommandTable = {
    path: "ctl",
    rows: CTL_COMMANDS.map((row) => ({ ...row, load: () => row.load(loadConfig) })),
    describe: (parser) =>
      parser.description("Look after mounts and their caches.").addHelpText("after", EXAMPLES),
  };
  return { run: (args, context) => runCommandOf(table, args, context) };
}
