/**
 * The program: finds the subcommand, hands it the machine, and turns its outcome into an exit code
 * and a last line on stderr. Subcommands are loaded when they run, so that `--help` stays fast.
 */
import process from "node:process";
import type { Command as Parser } from "commander";
import type { CommandContext, Output } from "./cache/platform/cli.ts";
import { systemClock } from "./cache/platform/clock.ts";
import { type CommandRow, runCommandOf } from "./cache/platform/command_table.ts";
import { CommandError, EXIT, type ExitCode, hintOf } from "./cache/platform/exit.ts";
import { type GlobalFlags, takeGlobalFlags } from "./cache/platform/global_flags.ts";
import { type Interrupts, listenForInterrupts, stopSignals } from "./cache/platform/interrupts.ts";
import { createLogger, describeError } from "./cache/platform/log.ts";
import { streamOutput } from "./cache/platform/output.ts";
import { COMMIT, VERSION } from "./cache/platform/version.ts";

/** Every subcommand, in the order help shows them. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: "mount",
    summary: "show object stores and directories as one read-only tree",
    load: async () => (await import("./mount/command.ts")).mountCommand,
  },
  {
    name: "umount",
    summary: "end a mount, or say who keeps it busy",
    load: async () => (await import("./mount/command.ts")).umountCommand,
  },
  {
    name: "ctl",
    summary: "look after mounts and their caches",
    // The doctor reads a file as the mount does, and ctl does not know the mount.
    load: async () =>
      (await import("./ctl/command.ts")).ctlCommand(async (path, inputs, logger) =>
        (await import("./mount/config_file.ts")).loadMountConfig(path, inputs, logger)
      ),
  },
  {
    name: "forge",
    summary: "train from tar shards",
    load: async () => (await import("./forge/command.ts")).forgeCommand,
  },
  {
    name: "bench",
    summary: "measure how fast a directory reads",
    load: async () => (await import("./bench/command.ts")).benchCommand,
  },
  {
    name: "version",
    summary: "say which version this is, and what it was built for",
    load: async () => (await import("./ctl/version_command.ts")).versionCommand,
  },
];

/** Commands that the program stands for when invoked through a link of that name. */
const LINK_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["warpdrive-mount", ["mount"]],
  ["warpdrive-ctl", ["ctl"]],
  ["warpdrive-forge", ["forge"]],
  ["warpdrive-bench", ["bench"]],
  ["warpdrive-control", ["ctl", "serve"]],
]);

const EXAMPLES = `
Examples:
  warpdrive mount file:///srv/data /mnt/data
  warpdrive mount azblob://ACCOUNT/CONTAINER/train /mnt/train
  warpdrive mount --check --config /etc/warpdrive/config.yaml
  warpdrive mount --config /etc/warpdrive/config.yaml
  warpdrive umount /mnt/data

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.`;

/** `args` behind the command that link `invokedAs` stands for. */
export function expandLinkName(invokedAs: string, args: readonly string[]): readonly string[] {
  const name = invokedAs.slice(invokedAs.lastIndexOf("/") + 1);
  return [...(LINK_NAMES.get(name) ?? []), ...args];
}

/** Runs the program with `args`, reporting failures on `stderr`. */
async function main(args: readonly string[], stdout: Output, stderr: Output): Promise<ExitCode> {
  const signals = stopSignals(Deno.readTextFileSync("/proc/self/status"));
  using interrupts = listenForInterrupts(signals, () => Deno.exit(EXIT.interrupted));
  let debug = args.includes("--debug");
  try {
    const flags = takeGlobalFlags(args);
    debug = flags.debug;
    const context = createContext(flags, interrupts, stdout, stderr);
    const table = { path: "", rows: COMMANDS, describe: describeProgram };
    return await runCommandOf(table, flags.rest, context);
  } catch (error) {
    // The reader of a pipe went away (`warpdrive … | head`): there is nobody left to tell.
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.failed;
    return report(error, interrupts.signal, debug, stderr);
  }
}

/** The command line without a subcommand: `--version`, `--help`, or a mistake. */
function describeProgram(parser: Parser): Parser {
  return parser
    .description("Object stores as one read-only POSIX tree.")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .option("--debug", "log at level debug, and print stack traces")
    .version(versionText(), "-V, --version", "show the version")
    .addHelpText("after", EXAMPLES);
}

function versionText(): string {
  return COMMIT === "source" ? `warpdrive ${VERSION}` : `warpdrive ${VERSION} (${COMMIT})`;
}

function createContext(
  flags: GlobalFlags,
  interrupts: Interrupts,
  stdout: Output,
  stderr: Output,
): CommandContext {
  return {
    signal: interrupts.signal,
    forceSignal: interrupts.forceSignal,
    env: Deno.env,
    stdout,
    stderr,
    logger: createLogger({
      level: flags.logLevel,
      format: stderr.isTerminal ? "text" : "json",
      stacks: flags.debug,
      write: (line) => writeLog(stderr, line),
      now: () => new Date(systemClock.wallMs()),
    }),
    logLevel: flags.logLevel,
    debug: flags.debug,
    clock: systemClock,
    random: Math.random,
    program: Deno.build.standalone
      ? [Deno.execPath()]
      : [Deno.execPath(), "run", "--allow-all", Deno.mainModule],
  };
}

/** A log that cannot be written must not end what it reports on: a mount outlives its terminal. */
function writeLog(stderr: Output, line: string): void {
  try {
    stderr.write(line);
  } catch {
    // Nowhere is left to say so.
  }
}

function report(error: unknown, signal: AbortSignal, debug: boolean, stderr: Output): ExitCode {
  const interrupted = signal.aborted && error === signal.reason;
  const lines = [describeError(error)];
  const hint = hintOf(error);
  if (hint !== null) lines.push(`Hint: ${hint}`);
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  writeLog(stderr, lines.join("\n") + "\n");
  if (interrupted) return EXIT.interrupted;
  return error instanceof CommandError && error.code === "usage" ? EXIT.usage : EXIT.failed;
}

if (import.meta.main) {
  const args = Deno.build.standalone ? expandLinkName(process.argv0, Deno.args) : Deno.args;
  Deno.exit(await main(args, streamOutput(Deno.stdout), streamOutput(Deno.stderr)));
}
