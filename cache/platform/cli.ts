/**
 * What a subcommand is, and what it is given. To write one:
 *
 * ```ts
 * // mount/command.ts
 * export const mountCommand: Command = {
 *   async run(args, context) {
 *     const parser = createParser("mount", context)
 *       .description("Show object stores as one directory tree")
 *       .argument("[mountpoint]", "where")
 *       .option("--config <file>", "configuration file");
 *     const line = parseArguments(parser, args);
 *     if (line.kind === "help") return EXIT.done;
 *     const flags = Flags.parse(line.options); // a zod schema: option values are unknown
 *     …
 *     return EXIT.done;
 *   },
 * };
 * ```
 *
 * and name it in the table of `main.ts`. A command returns its exit code, or rejects:
 * `CommandError` (`exit.ts`) says usage or failure and carries a hint; the signal's own reason
 * means interrupted (130); anything else is a failure. It writes results to `stdout`, never calls
 * `Deno.exit`, and listens to no signals of its own. `--log-level` and `--debug` are taken off the
 * command line before it runs, wherever they stand before a `--`.
 */
import { Command as Parser, CommanderError } from "commander";
import type { Clock } from "./clock.ts";
import type { Environment } from "./environment.ts";
import { CommandError, type ExitCode } from "./exit.ts";
import type { Logger, LogLevel } from "./log.ts";

/** A subcommand of `warpdrive`. */
export interface Command {
  /** Runs with the arguments that follow its name. */
  run(args: readonly string[], context: CommandContext): Promise<ExitCode>;
}

/** A text stream of this process. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** The machine, as handed to a command. */
export interface CommandContext {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP, with an {@linkcode Interruption}. */
  readonly signal: AbortSignal;
  /** Aborts at the second one: stop now, whatever is in flight. A third ends the process. */
  readonly forceSignal: AbortSignal;
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Writes to stderr as `--log-level` and `--debug` say. */
  readonly logger: Logger;
  readonly logLevel: LogLevel;
  /** `--debug`: print stack traces. */
  readonly debug: boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Command line that starts this program again; arguments are appended to it. */
  readonly program: readonly string[];
}

/** Why `signal` aborted. */
export class Interruption extends Error {
  override readonly name = "Interruption";

  constructor(readonly signalName: Deno.Signal) {
    super(`Stopped by ${signalName}`);
  }
}

/** A command line that parsed, or one that asked for help and got it. */
export type CommandLine =
  | {
    readonly kind: "parsed";
    readonly options: Readonly<Record<string, unknown>>;
    readonly operands: readonly string[];
  }
  | { readonly kind: "help" };

/** Columns of help text: fixed, so that it reads the same in a terminal, a pipe and the tests. */
const HELP_COLUMNS = 90;

/** A parser for `warpdrive <path>` that prints help on `stdout` and never exits the process. */
export function createParser(path: string, context: Pick<CommandContext, "stdout">): Parser {
  return new Parser(path === "" ? "warpdrive" : `warpdrive ${path}`)
    .exitOverride()
    .helpOption("-h, --help", "show this help")
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // Errors reach the user through CommandError, once, in the program's own words.
      writeErr: () => {},
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    });
}

/**
 * Parses `args`. Long flags may have a single dash (`-config`), as in the founding documents.
 *
 * @throws {CommandError} `usage` for unknown flags, missing values and missing operands.
 */
export function parseArguments(parser: Parser, args: readonly string[]): CommandLine {
  try {
    parser.parse(doubleDashes(args, longFlags(parser)), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help" };
    throw usageError(parser.name(), error);
  }
  return { kind: "parsed", options: parser.opts(), operands: parser.args };
}

/** `args` with `-name` and `-name=value` turned into `--name…` where `--name` is in `known`. */
export function doubleDashes(args: readonly string[], known: ReadonlySet<string>): string[] {
  const end = args.indexOf("--");
  return args.map((argument, index) => {
    if (end >= 0 && index > end) return argument;
    const name = /^-([A-Za-z][\w-]+)(?:=|$)/.exec(argument)?.[1];
    return name !== undefined && known.has(`--${name}`) ? `-${argument}` : argument;
  });
}

function longFlags(parser: Parser): Set<string> {
  const own = [...parser.options, ...(parser.createHelp().visibleOptions(parser))];
  const names = own.flatMap((option) => option.long ?? []);
  return new Set([...names, ...parser.commands.flatMap((child) => [...longFlags(child)])]);
}

/** Commander's error in the house form; its suggestion becomes part of the hint. */
function usageError(program: string, error: CommanderError): CommandError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const reason = first.replaceAll("'", '"');
  const suggestion = rest.join(" ").replace(/^\(|\)$/g, "");
  const hint = `${suggestion} Run "${program} --help" for its options`.trim();
  // No cause: the message holds all that commander said.
  return new CommandError("usage", `Cannot run "${program}": ${reason}`, hint);
}
