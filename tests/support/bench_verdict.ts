/** What `warpdrive bench --checksum` says of a directory, whatever the speed of the machine. */
import { notEqual } from "node:assert/strict";
import { z } from "zod";
import type { ProgramResult } from "../cli/run_program.ts";

/** More where a machine is too slow to read all files in the first. */
const DURATIONS = ["500ms", "5s", "60s"];

const RESULT = z.object({
  files: z.number(),
  checksums: z.object({
    matched: z.number(),
    different: z.array(z.string()),
    unknown: z.number(),
  }),
});

/** The checksums that the benchmark printed, and how it ended. */
export interface BenchVerdict {
  readonly code: number;
  readonly stderr: string;
  readonly matched: number;
  /** Paths of files, in order. */
  readonly different: readonly string[];
  readonly unknown: number;
}

/** Has the program, which `run` runs, benchmark `directory` until all its files were read. */
export async function benchVerdict(
  directory: string,
  run: (...args: string[]) => Promise<ProgramResult>,
): Promise<BenchVerdict> {
  for (const duration of DURATIONS) {
    const args = ["--dir", directory, "--readers", "2", "--duration", duration, "--rounds", "1"];
    const { code, stdout, stderr } = await run("bench", ...args, "--checksum", "--json");
    notEqual(stdout, "", stderr);
    const { files, checksums } = RESULT.parse(JSON.parse(stdout));
    const { matched, different, unknown } = checksums;
    if (matched + different.length + unknown === files) return { code, stderr, ...checksums };
  }
  throw new Error(`Cannot read all files below "${directory}" in ${DURATIONS.at(-1)}`);
}
