/** Commands found by their name and loaded when they run: those of the program, those of `ctl`. */
import type { Command as Parser } from "commander";
import { type Command, type CommandContext, createParser, parseArguments } from "./cli.ts";
import { CommandError, EXIT, type ExitCode } from "./exit.ts";
import { nearest } from "./nearest.ts";

/** One command of a table. */
export interface CommandRow {
  readonly name: string;
  /** What it is for, in half a line of help. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Commands with what belongs to none of them. */
export interface CommandTable {
  /** The words before a command's name, behind `warpdrive`: `""`, `"ctl"`. */
  readonly path: string;
  /** In the order help shows them. */
  readonly rows: readonly CommandRow[];
  /** Adds options and help of the command line without a command. */
  readonly describe: (parser: Parser) => Parser;
}

/**
 * Runs the command that `args` begin with. `help NAME` is `NAME --help`.
 *
 * @throws {CommandError} `usage` when there is no such command, or none is named.
 */
export async function runCommandOf(
  table: CommandTable,
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const [first, ...rest] = args;
  const asksHelp = first === "help" && rest[0] !== undefined && !rest[0].startsWith("-");
  const name = asksHelp ? rest[0] : first;
  const row = table.rows.find((candidate) => candidate.name === name);
  if (row !== undefined) {
    const command = await row.load();
    return await command.run(asksHelp ? [...rest.slice(1), "--help"] : rest, context);
  }
  if (name === "help") return runAlone(table, ["--help"], context);
  if (name === undefined || name.startsWith("-")) return runAlone(table, args, context);
  const guess = nearest(name, table.rows.map((candidate) => candidate.name));
  throw new CommandError(
    "usage",
    `Cannot run "${programOf(table)} ${name}": there is no such command`,
    guess === null
      ? `Run "${programOf(table)} --help" for the commands`
      : `Did you mean "${guess}"?`,
  );
}

/** The command line without a command: `--help`, an option of the table, or a mistake. */
function runAlone(
  table: CommandTable,
  args: readonly string[],
  context: CommandContext,
): ExitCode {
  const parser = table.describe(createParser(table.path, context))
    .usage("[options] <command> [arguments]")
    .helpCommand("help [command]", "show the help of a command");
  for (const { name, summary } of table.rows) parser.command(name).summary(summary);
  parser.action(() => {});
  if (parseArguments(parser, args).kind === "help") return EXIT.done;
  const program = programOf(table);
  throw new CommandError(
    "usage",
    `Cannot run "${program}": it needs a command`,
    `Run "${program} --help" for the commands`,
  );
}

function programOf({ path }: CommandTable): string {
  return path === "" ? "warpdrive" : `warpdrive ${path}`;
}
