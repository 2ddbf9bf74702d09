/**
 * `deno task bench:reads`: whether `warpdrive bench` is fast enough to measure with. The same reads
 * of the same files in the page cache, by it and by fio, in turn.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { measuredProgram, runBenchmark, say } from "./benchmark_program.ts";
import { type Contender, type Outcome, runExperiment } from "./experiment.ts";
import { type Load, runLoad } from "./fio.ts";
import { thisPlace } from "./machine.ts";
import { outcomeLines } from "./mount_report.ts";
import { SHARDS, writeSample } from "./sample_files.ts";

const HELP = `deno task bench:reads [options]: measure "warpdrive bench" against fio

  --rounds N        measure everything N times (default 5)
  --seconds N       how long one pass reads (default 3)
  --program FILE    measure this compiled warpdrive instead of the source

It needs fio, and 0.3 GB of disk and of free memory. Exit code 1 when it reaches less than 0.9 of
what fio does.`;

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
/** The wanted share of what fio reaches. */
const SHARE_MIN = 0.9;
const READERS = 4;
const MIB = 1024 * 1024;
const SHARD_BYTES = 64 * MIB;
const WORKLOADS = [
  { id: "sequential", title: "sequential reads of 1 MiB", chunkBytes: MIB, unit: "GB/s" },
  { id: "random", title: "random reads of 4 KiB", chunkBytes: 4096, unit: "IOPS" },
] as const;

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
      seconds: { type: "string", default: "3" },
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
  const shares: { readonly id: string; readonly share: number }[] = [];
  for (const workload of WORKLOADS) {
    const contenders = contendersOf(workload, `${directory}/${SHARDS}`, options);
    const title = `${READERS} readers, ${workload.title}, page cache`;
    const experiment = { id: workload.id, title, unit: workload.unit, contenders };
    // The first time the page cache is not hot, and the compiler of either has not run.
    for (const { measure } of contenders) await measure(signal);
    const outcome = await runExperiment(experiment, options.rounds, signal);
    say(outcomeLines(outcome));
    shares.push({ id: workload.id, share: shareOf(outcome) });
  }
  say([
    "",
    ...shares.map(({ id, share }) =>
      `${share >= SHARE_MIN ? "pass" : "FAIL"}  ${id} ${share.toFixed(2)} of fio, ` +
      `wanted ${SHARE_MIN}`
    ),
  ]);
  return shares.every(({ share }) => share >= SHARE_MIN);
}

function shareOf({ scores: [fio, own] }: Outcome): number {
  return (own?.median ?? NaN) / (fio?.median ?? NaN);
}

function contendersOf(
  { id, chunkBytes, unit }: typeof WORKLOADS[number],
  directory: string,
  options: Options,
): Contender[] {
  const load: Load = {
    pattern: id === "random" ? "randread" : "read",
    on: { directory },
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
        const { bytesPerSecond, requestsPerSecond } = await runLoad(load, signal);
        return unit === "IOPS" ? requestsPerSecond : bytesPerSecond / 1e9;
      },
    },
    {
      name: "warpdrive bench",
      async measure(signal) {
        const record = await runBench(directory, id, chunkBytes, options, signal);
        return unit === "IOPS" ? record.operations_per_second : record.bytes_per_second / 1e9;
      },
    },
  ];
}

async function runBench(
  directory: string,
  pattern: string,
  chunkBytes: number,
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
