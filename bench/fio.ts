/** Loads of fio(1), and what they reached. */
import { z } from "zod";
import { CommandError } from "../cache/platform/exit.ts";

/** One run of fio. Sizes in bytes. */
export interface Load {
  readonly pattern: "read" | "randread";
  /**
   * One file that all jobs read; a directory with `shard-0`, `shard-1`, … one for each job; or
   * files each job goes through in an order it draws, or for `randread` anywhere in any of them.
   */
  readonly on:
    | { readonly file: string }
    | { readonly directory: string }
    | { readonly files: readonly string[] };
  readonly requestBytes: number;
  readonly jobs: number;
  /**
   * How the page cache is used: `direct` not at all (O_DIRECT), `hot` as it is, `dropped` after the
   * pages of the file that is read have been given up, which for a mount are the mount's.
   */
  readonly cache: "direct" | "hot" | "dropped";
  /** Read for so long, over and over, or everything once. */
  readonly length: { readonly seconds: number } | "once";
  /** Bytes each job reads from, from the beginning of each of its files. */
  readonly fileBytes: number;
}

/** What a load reached. */
export interface LoadResult {
  readonly bytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly requests: number;
}

/** Longest time for one pass; whatever takes longer has stalled. */
const PASS_MS_MAX = 60_000;

const Report = z.object({
  // One entry for all jobs together, because they are reported as a group.
  jobs: z.tuple([z.object({
    error: z.number(),
    read: z.object({ bw_bytes: z.number(), iops: z.number(), total_ios: z.number() }),
  })]),
});

/** The command line of `load`. */
export function fioArguments(load: Load): string[] {
  const { length } = load;
  return [
    "--name=load",
    "--output-format=json",
    "--ioengine=psync",
    "--readonly",
    "--group_reporting",
    `--rw=${load.pattern}`,
    // Every run draws the same offsets.
    ...["--randrepeat=1", "--allrandrepeat=1"],
    `--bs=${load.requestBytes}`,
    `--numjobs=${load.jobs}`,
    ...fileArguments(load),
    `--direct=${load.cache === "direct" ? 1 : 0}`,
    // fio gives up the file's pages before it begins unless told otherwise.
    `--invalidate=${load.cache === "dropped" ? 1 : 0}`,
    ...(length === "once" ? [] : ["--time_based", `--runtime=${length.seconds * 1_000}ms`]),
  ];
}

/** Which files, and in which order. */
function fileArguments({ on, pattern, requestBytes, fileBytes }: Load): string[] {
  if ("file" in on) return [`--filename=${on.file}`, `--size=${fileBytes}`];
  if ("directory" in on) {
    return [
      `--directory=${on.directory}`,
      "--filename_format=shard-$jobnum",
      `--size=${fileBytes}`,
    ];
  }
  const requestsBetweenDraws = pattern === "read" ? Math.ceil(fileBytes / requestBytes) : 1;
  return [
    `--filename=${on.files.join(":")}`,
    `--size=${fileBytes * on.files.length}`,
    `--file_service_type=random:${requestsBetweenDraws}`,
    // What was drawn may be drawn again: no list is kept of it.
    "--norandommap",
  ];
}

/** What fio's JSON `text` says. */
export function parseReport(text: string): LoadResult {
  // Notes about the load may stand before the report.
  const { jobs } = Report.parse(JSON.parse(text.slice(text.indexOf("{"))));
  const [{ error, read }] = jobs;
  if (error !== 0 || read.total_ios === 0) {
    throw new Error(`Read with fio: it ended with error ${error} after ${read.total_ios} reads`);
  }
  return { bytesPerSecond: read.bw_bytes, requestsPerSecond: read.iops, requests: read.total_ios };
}

/**
 * Runs `load`.
 *
 * @throws {CommandError} when fio is not installed.
 */
export async function runLoad(load: Load, signal: AbortSignal): Promise<LoadResult> {
  return await runFio(fioArguments(load), signal);
}

/** {@linkcode runLoad} with arguments as {@linkcode fioArguments} makes them, and more. */
export async function runFio(args: readonly string[], signal: AbortSignal): Promise<LoadResult> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PASS_MS_MAX)]);
  const { success, stdout, stderr } = await output("fio", args, limit);
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  limit.throwIfAborted();
  if (!success) throw new Error(`Read with fio: ${decoder.decode(stderr).trim() || text.trim()}`);
  return parseReport(text);
}

/** The version of the fio that is installed. */
export async function fioVersion(signal: AbortSignal): Promise<string> {
  const { stdout } = await output("fio", ["--version"], signal);
  return new TextDecoder().decode(stdout).trim();
}

async function output(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(program, { args: [...args], stdin: "null", signal }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(
      "failed",
      "Measure the mount: fio is not installed, and it makes the load",
      "Install the package fio",
      { cause: error },
    );
  }
}
