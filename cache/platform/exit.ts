/** What the program tells its caller: the exit code, and the error that led to it. */

/** Exit codes of every subcommand. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** Tried, and failed. */
  failed: 1,
  /** Not tried: the command line or the configuration is wrong. */
  usage: 2,
  /** Looked at, and not everything is there that was asked about. */
  incomplete: 3,
  /** Stopped by a signal before it was done, as shells report SIGINT. */
  interrupted: 130,
} as const;

/** One of {@linkcode EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Whether the command was tried: decides between exit codes 1 and 2. */
export type CommandErrorCode = "failed" | "usage";

/**
 * An error for the person at the terminal: `main.ts` prints its message, then `Hint: …`.
 *
 * Any other error with a string property `hint` (`BackendError`) prints the same way, with exit
 * code 1.
 */
export class CommandError extends Error {
  override readonly name = "CommandError";

  /**
   * @param message Action, quoted subject, colon, current state and wanted state.
   * @param hint What to run or change next; null when there is nothing useful to say.
   */
  constructor(
    readonly code: CommandErrorCode,
    message: string,
    readonly hint: string | null,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** The first hint found on `error` or the causes behind it. */
export function hintOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ("hint" in error && typeof error.hint === "string") return error.hint;
  return hintOf(error.cause);
}
