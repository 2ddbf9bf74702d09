/** The machine as a command sees it, with its output collected. */
import type { CommandContext } from "../../cache/platform/cli.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { silentLogger } from "../../cache/platform/log.ts";

/** A context, and what was written to it so far. */
export interface CollectedContext {
  readonly context: CommandContext;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A context that ends with `signal`, no terminal, with these variables. */
export function collectedContext(
  signal: AbortSignal = new AbortController().signal,
  variables: Readonly<Record<string, string>> = {},
): CollectedContext {
  const out: string[] = [];
  const err: string[] = [];
  const output = (texts: string[]) => ({
    isTerminal: false,
    write: (text: string) => void texts.push(text),
  });
  return {
    context: {
      signal,
      forceSignal: new AbortController().signal,
      env: { get: (name) => variables[name] },
      stdout: output(out),
      stderr: output(err),
      logger: silentLogger,
      logLevel: "info",
      debug: false,
      clock: systemClock,
      random: () => 0.5,
      program: [],
    },
    stdout: () => out.join(""),
    stderr: () => err.join(""),
  };
}
