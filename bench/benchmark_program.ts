/** What the benchmarks of the repository have in common as programs. */
import { fileURLToPath } from "node:url";
import { EXIT, type ExitCode, hintOf } from "../cache/platform/exit.ts";
import { listenForInterrupts } from "../cache/platform/interrupts.ts";
import { describeError } from "../cache/platform/log.ts";
import { V8_FLAGS } from "../cache/platform/v8_flags.ts";

/** A benchmark as a program. */
export interface BenchmarkProgram<Options> {
  /** What `--help` prints. */
  readonly help: string;
  /** Reads the command line; throws when it makes no sense. */
  readonly parse: (args: readonly string[]) => Options | "help";
  /** Runs everything; false when something wanted was missed. */
  readonly run: (options: Options, signal: AbortSignal) => Promise<boolean>;
}

/** The command line of the program to measure: `binary`, or the source as the binary runs it. */
export function measuredProgram(binary: string | null): readonly string[] {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  return binary === null ? [Deno.execPath(), "run", "-A", "--no-check", V8_FLAGS, main] : [binary];
}

/** Prints `lines` on stdout. */
export function say(lines: readonly string[]): void {
  const encoder = new TextEncoder();
  for (const line of lines) Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Runs a benchmark with `args`; its exit code. A second Ctrl+C ends everything by `exit`. */
export async function runBenchmark<Options>(
  { help, parse, run }: BenchmarkProgram<Options>,
  args: readonly string[],
  exit: (code: ExitCode) => never,
): Promise<ExitCode> {
  let options: Options | "help";
  try {
    options = parse(args);
  } catch (error) {
    say([describeError(error), "", help]);
    return EXIT.usage;
  }
  if (options === "help") {
    say([help]);
    return EXIT.done;
  }
  const stopSignals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  using interrupts = listenForInterrupts(stopSignals, () => exit(EXIT.interrupted));
  try {
    return await run(options, interrupts.signal) ? EXIT.done : EXIT.failed;
  } catch (error) {
    if (interrupts.signal.aborted) {
      say([`${describeError(interrupts.signal.reason)}: unmounted, and everything is removed`]);
      return EXIT.interrupted;
    }
    const hint = hintOf(error);
    say([describeError(error), ...(hint === null ? [] : [`Hint: ${hint}`])]);
    return EXIT.failed;
  }
}
