/** Runs `warpdrive forge --json` to its end, and reads what it printed. */
import { equal } from "node:assert/strict";
import { programCommand } from "../cli/run_program.ts";

/** What a run came to. */
export interface ForgeRun {
  /** Of each step, as it was printed: equal text is equal bit for bit. */
  readonly losses: readonly string[];
  /** Fingerprint of all samples in their order. */
  readonly order: string;
  readonly samples: number;
  /** What it logged. */
  readonly stderr: string;
}

/** Trains with `args`, one window per step, from `directory`. */
export async function forgeRun(directory: string, ...args: readonly string[]): Promise<ForgeRun> {
  const { code, stdout, stderr } = await forge(directory, "--json", "--log-every", "1", ...args);
  equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  const windows = lines.slice(0, -1).map((line) =>
    /"event":"window".*"loss":(\S+?)[,}]/.exec(line)
  );
  const done = JSON.parse(lines.at(-1) ?? "");
  equal(done.event, "done");
  return {
    losses: windows.map((match) => match?.[1] ?? "no loss"),
    order: done.order,
    samples: done.samples,
    stderr,
  };
}

/** How `warpdrive forge` ended. */
export interface ForgeEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `warpdrive forge` with `args` in `directory`. */
export async function forge(directory: string, ...args: readonly string[]): Promise<ForgeEnd> {
  const { code, stdout, stderr } = await programCommand(["forge", ...args], directory, {}).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
