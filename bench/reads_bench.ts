/**
 * `deno task bench:reads`: whether `warpdrive bench` is fast enough to measure with. The same reads
 * of the same files in the page cache, by it and by fio, in turn.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { formatBytes } from "../cache/platform/units.ts";
import { measuredProgram, runBenchmark, say } from "./benchmark_program.ts";
import { type Contender, type Outcome, runExperiment } from "./experiment.ts";
import { fioArguments, type Load, runFio } from "./fio.ts";
import { thisPlace } from "./machine.ts";
import { outcomeLines } from "./mount_report.ts";
import { type Pattern, PATTERNS } from "./reading/pattern.ts";
import { readBenchSettings } from "./reading/settings.ts";
import { SHARDS, warmUp, writeSample } from "./sample_files.ts";
import { median } from "./statistics.ts";

const HELP = `deno task bench:reads [options]: measure "warpdrive bench" against fio

  --rounds N        measure everything N times (default 5)
  --seconds N       how long one pass reads (default 1)
  --program FILE    measure this compiled warpdrive instead of the source

It needs fio, and 0.3 GB of disk and of free memory. Exit code 1 when any pattern reaches less than
0.9 of what fio does.`;

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
/** The wanted share of what fio reaches. */
const SHARE_MIN = 0.9;
const READERS = 4;
const MIB = 1024 * 1024;
const SHARD_BYTES = 64 * MIB;
const FILES = Array.from({ length: READERS }, (_, index) => `shard-${index}`);

/**
 * What makes jobs of fio our readers' equals. Threads of one program: a kernel that groups tasks by
 * session (`sched_autogroup_enabled`) gives each process of fio, when all are busy, as much time as
 * all readers of ours together. Memory that begins with a page: copies to it take half as long.
 */
const AS_READERS = ["--thread", "--iomem_align=4096"];

/** Reads by one pattern. */
interface Workload {
  readonly pattern: Pattern;
  readonly chunkBytes: number;
  readonly unit: "GB/s" | "IOPS";
}

/** Each pattern at the default size of a chunk; and small reads, in which all else shows most. */
function workloads(): Workload[] {
  const chunkBytes = readBenchSettings({}, "/").chunk;
  return [
    ...PATTERNS.map((pattern): Workload => ({ pattern, chunkBytes, unit: "GB/s" })),
    { pattern: "random", chunkBytes: 4096, unit: "IOPS" },
  ];
}

const Record = z.object({ bytes_per_second: z.number(), operations_per_second: z.number() });

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  /** Command line that starts the program. */
  readonly program: readonly string[];
}

function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "1" },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    program: measuredProgram(values.program ?? null),
  };
}

/** Runs everything; true when the benchmark is as fast as it should be. */
async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const shape = { shards: READERS, shardBytes: SHARD_BYTES, directories: 0, filesPerDirectory: 0 };
  await writeSample(directory, { ...shape, bigBytes: 0 }, "warpdrive reads bench 1", signal);
  const place = await thisPlace(directory, REPOSITORY);
  say([
    `${place.processor}, ${place.cores} cores, Linux ${place.kernel}, Deno ${place.deno}, ` +
    `commit ${place.commit}, load ${place.load.toFixed(1)} at the start`,
  ]);
  const verdicts: Verdict[] = [];
  for (const workload of workloads()) {
    const { pattern, chunkBytes, unit } = workload;
    const id = `${pattern}, ${formatBytes(chunkBytes)} at once`;
    const contenders = contendersOf(workload, `${directory}/${SHARDS}`, options);
    const title = `${id}, ${READERS} readers, page cache`;
    // Memory that a busy machine took back is not what is measured.
    for (const file of FILES) await warmUp(`${directory}/${SHARDS}/${file}`, signal);
    const experiment = { id, title, unit, contenders };
    const outcome = await runExperiment(experiment, options.rounds, signal);
    say(outcomeLines(outcome));
    verdicts.push(verdictOf(outcome));
  }
  say(["", ...verdicts.map(({ text }) => text)]);
  return verdicts.every(({ passed }) => passed);
}

/** Whether ours is as fast as wanted. */
interface Verdict {
  readonly passed: boolean;
  readonly text: string;
}

/** By the share of each round, because a busy machine is never the same for two rounds. */
function verdictOf({ id, scores: [fio, own] }: Outcome): Verdict {
  const shares = own?.values.map((value, round) => value / (fio?.values[round] ?? NaN)) ?? [];
  const share = median(shares);
  const passed = share >= SHARE_MIN;
  const rounds = shares.map((value) => value.toFixed(2)).join(" ");
  const text = `${id}: ${share.toFixed(2)} of fio, wanted ${SHARE_MIN} (rounds ${rounds})`;
  return { passed, text: `${passed ? "pass" : "FAIL"}  ${text}` };
}

function contendersOf(workload: Workload, directory: string, options: Options): Contender[] {
  const { pattern, chunkBytes, unit } = workload;
  const load: Load = {
    pattern: pattern === "random" ? "randread" : "read",
    // Whole files in an order each job draws: in memory no order is faster than another.
    on: { files: FILES.map((file) => `${directory}/${file}`) },
    requestBytes: chunkBytes,
    jobs: READERS,
    cache: "hot",
    length: { seconds: options.seconds },
    fileBytes: SHARD_BYTES,
  };
  return [
    {
      name: "fio",
      async measure(signal) {
        const { bytesPerSecond, requestsPerSecond } = await runFio([
          ...fioArguments(load),
          ...AS_READERS,
        ], signal);
        return unit === "IOPS" ? requestsPerSecond : bytesPerSecond / 1e9;
      },
    },
    {
      name: "warpdrive bench",
      async measure(signal) {
        const record = await runBench(workload, directory, options, signal);
        return unit === "IOPS" ? record.operations_per_second : record.bytes_per_second / 1e9;
      },
    },
  ];
}

async function runBench(
  { pattern, chunkBytes }: Workload,
  directory: string,
  { program, seconds }: Options,
  signal: AbortSignal,
): Promise<z.output<typeof Record>> {
  const [first = "", ...rest] = program;
  const what = ["--dir", directory, "--pattern", pattern, "--chunk", String(chunkBytes)];
  const how = ["--readers", String(READERS), "--duration", `${seconds * 1_000}ms`, "--rounds", "1"];
  const { success, stdout, stderr } = await new Deno.Command(first, {
    // fio starts its clock when its jobs run; threads of ours first compile what they run.
    args: [...rest, "bench", ...what, ...how, "--warmup", "300ms", "--json"],
    cwd: "/",
    stdin: "null",
    signal,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Read "${directory}": ${decoder.decode(stderr)}`);
  return Record.parse(JSON.parse(decoder.decode(stdout)));
}

if (import.meta.main) {
  const program = { help: HELP, parse: parseOptions, run: bench };
  Deno.exit(await runBenchmark(program, Deno.args, Deno.exit));
}
