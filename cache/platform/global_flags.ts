/** Flags that every subcommand takes, wherever they stand: `--log-level` and `--debug`. */
import { CommandError } from "./exit.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** The command line without its global flags, and what they said. */
export interface GlobalFlags {
  readonly debug: boolean;
  readonly logLevel: LogLevel;
  readonly rest: readonly string[];
}

/**
 * Takes the global flags out of `args`, up to a `--`: what follows belongs to a program that the
 * subcommand runs.
 *
 * @throws {CommandError} `usage` when the level is missing or unknown.
 */
export function takeGlobalFlags(args: readonly string[]): GlobalFlags {
  let debug = false;
  let level: LogLevel | null = null;
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? "";
    if (argument === "--") {
      rest.push(...args.slice(index));
      break;
    }
    if (/^--?debug$/.test(argument)) debug = true;
    else if (/^--?log-level$/.test(argument)) level = parseLevel(args[++index]);
    else if (/^--?log-level=/.test(argument)) {
      level = parseLevel(argument.slice(argument.indexOf("=") + 1));
    } else rest.push(argument);
  }
  return { debug, logLevel: level ?? (debug ? "debug" : "info"), rest };
}

function parseLevel(text: string | undefined): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new CommandError(
    "usage",
    `Cannot use log level "${text ?? ""}": it is none of ${LOG_LEVELS.join(", ")}`,
    "Run it again with --log-level info",
  );
}
