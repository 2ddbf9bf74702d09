/**
 * `deno task bench:cache`: the mount of an origin through the cache, against the cache's own data
 * files where they are warm, and against a bare loop around `fetch` where they are cold.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../cache/platform/clock.ts";
import { measuredProgram, runBenchmark, say } from "./benchmark_program.ts";
import {
  type CacheBench,
  checkBytes,
  coldRandom,
  coldSequential,
  firstEpoch,
  memoryOverBudget,
  oneDownload,
  secondEpoch,
  type Side,
} from "./cache_experiments.ts";
import { warmFiles, warmSequential } from "./cache_warm.ts";
import { warming } from "./cache_warming.ts";
import { mountCache } from "./cache_mount.ts";
import { type CacheFindings, closingLines } from "./cache_report.ts";
import { headingLines, outcomeLines } from "./mount_report.ts";
import { CACHE, CACHE_TARGETS, SHAPED } from "./cache_targets.ts";
import { CostBook, type CostLine } from "./cost_book.ts";
import { type Experiment, type Outcome, runExperiment } from "./experiment.ts";
import { fioVersion } from "./fio.ts";
import { thisPlace } from "./machine.ts";
import { makeResident } from "./resident_memory.ts";
import { type RunningOrigin, startOrigin } from "./origin_process.ts";
import { summarize } from "./statistics.ts";
import { judge } from "./targets.ts";

const HELP = `deno task bench:cache [options]: measure the cache over an origin on loopback

  --quick           smaller files, 3 rounds: to see that all works
  --only ID,…       only these experiments
  --json FILE       write everything measured to FILE
  --dir DIR         put mounts and caches below DIR (default: the temporary directory)
  --program FILE    measure this compiled warpdrive instead of the source

It needs root, fio and 16 GB of disk, and takes about five minutes. Exit code 1 when a target was
missed.`;

const SEED = "warpdrive bench:cache 1";
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const DEFAULT = { sizeBytesMax: 64 * GIB, memoryBytes: 512 * MIB, passthrough: true };
const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));

interface Options {
  readonly quick: boolean;
  readonly only: readonly string[] | null;
  readonly json: string | null;
  readonly dir: string | null;
  readonly program: string | null;
}

function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      json: { type: "string" },
      dir: { type: "string" },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    quick: values.quick,
    only: values.only?.split(",") ?? null,
    json: values.json ?? null,
    dir: values.dir ?? null,
    program: values.program ?? null,
  };
}

/** Where and with what a run measures. */
interface Run {
  readonly bench: CacheBench;
  readonly shaped: RunningOrigin;
  readonly unshaped: RunningOrigin;
  readonly directory: string;
  readonly quick: boolean;
  readonly signal: AbortSignal;
}

/**
 * A group of experiments that share mounts. Each group begins with mounts of its own, so that a
 * cache holds no more than it has to.
 */
interface Group {
  readonly ids: readonly string[];
  prepare(run: Run, stack: AsyncDisposableStack): Promise<readonly Experiment[]>;
}

async function sideOf(
  { bench }: Run,
  origin: RunningOrigin,
  stack: AsyncDisposableStack,
): Promise<Side> {
  return { origin, mount: stack.use(await bench.mount(origin, DEFAULT)) };
}

const WARM: Group = {
  ids: ["warm-1", "warm-32"],
  async prepare(run, stack) {
    const { bench, unshaped, directory, quick, signal } = run;
    const side = await sideOf(run, unshaped, stack);
    const fileBytes = (quick ? 8 : 128) * MIB;
    const files = await warmFiles(bench, side, directory, { files: 32, fileBytes }, signal);
    const one = { cache: "hot", seconds: quick ? 0.5 : 1 } as const;
    const title = "Warm, passthrough, sequential 1 MiB";
    return [
      warmSequential(files, { ...one, id: "warm-1", title: `${title}, 1 reader`, readers: 1 }),
      warmSequential(files, {
        ...one,
        id: "warm-32",
        title: `${title}, 32 readers, a file each`,
        readers: 32,
      }),
    ];
  },
};

const SERVED: Group = {
  ids: ["warm-served"],
  async prepare({ bench, unshaped, directory, quick, signal }, stack) {
    const setup = { ...DEFAULT, passthrough: false };
    const side = { origin: unshaped, mount: stack.use(await bench.mount(unshaped, setup)) };
    const shape = { files: 1, fileBytes: (quick ? 128 : 1024) * MIB };
    const files = await warmFiles(bench, side, `${directory}/served`, shape, signal);
    return [warmSequential(files, {
      id: "warm-served",
      title: "Warm, daemon-served, sequential 1 MiB with O_DIRECT, data file hot",
      readers: 1,
      cache: "direct",
      seconds: quick ? 0.5 : 1,
    })];
  },
};

const COLD_SHAPED: Group = {
  ids: [
    "cold-shaped",
    "cold-shaped-as-is",
    "cold-shaped-64",
    "cold-epoch",
    "warming",
    "cold-random",
    "one-download",
  ],
  async prepare(run, stack) {
    const { bench, quick } = run;
    const side = await sideOf(run, run.shaped, stack);
    await checkBytes(bench, side);
    const origin = "20 ms, 400 MB/s";
    const one = { origin, streams: 16, memory: "resident" } as const;
    const bytes = (quick ? 256 : 512) * MIB;
    return [
      coldSequential(bench, side, { ...one, id: "cold-shaped", bytes }),
      coldSequential(bench, side, { ...one, id: "cold-shaped-as-is", bytes, memory: "as it is" }),
      coldSequential(bench, side, { ...one, id: "cold-shaped-64", bytes: 64 * MIB }),
      firstEpoch(bench, side, { shards: 32, shardBytes: 16 * MIB, origin }),
      warming(bench, side, { shards: 32, shardBytes: 16 * MIB, origin }),
      coldRandom(bench, side, { seconds: quick ? 1 : 3, origin }),
      oneDownload(bench, side, 64 * MIB),
    ];
  },
};

const COLD_UNSHAPED: Group = {
  ids: ["cold-unshaped", "cold-unshaped-64"],
  async prepare(run, stack) {
    const { bench, quick } = run;
    const side = await sideOf(run, run.unshaped, stack);
    const one = {
      origin: "as fast as loopback goes",
      streams: 4,
      memory: "resident",
    } as const;
    return [
      coldSequential(bench, side, {
        ...one,
        id: "cold-unshaped",
        bytes: (quick ? 256 : 1024) * MIB,
      }),
      coldSequential(bench, side, { ...one, id: "cold-unshaped-64", bytes: 64 * MIB }),
    ];
  },
};

const HELD: Group = {
  ids: ["second-epoch", "memory-512", "memory-128"],
  prepare({ bench, unshaped, quick }) {
    const shardBytes = (quick ? 4 : 8) * MIB;
    const { memoryBytes } = DEFAULT;
    const fileBytes = (quick ? 16 : 32) * MIB;
    return Promise.resolve([
      secondEpoch(bench, unshaped, { shards: 64, shardBytes, memoryBytes }),
      memoryOverBudget(bench, unshaped, { memoryBytes, fileBytes }),
      memoryOverBudget(bench, unshaped, { memoryBytes: 128 * MIB, fileBytes }),
    ]);
  },
};

const GROUPS = [WARM, SERVED, COLD_SHAPED, COLD_UNSHAPED, HELD];

/** Runs everything; true when no target was missed. */
async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  const fio = await fioVersion(signal);
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({
    prefix: "warpdrive-bench-",
    ...(options.dir === null ? {} : { dir: options.dir }),
  });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const program = measuredProgram(options.program);
  const costs = new CostBook();
  let reads = 0;
  const place = await thisPlace(directory, REPOSITORY);
  const run: Run = {
    bench: {
      costs,
      clock: systemClock,
      program,
      mount: (origin, setup) =>
        mountCache(program, origin, setup, { clock: systemClock, signal, directory }),
      fresh: () => reads += 1,
      scratch: directory,
      makeResident: (bytes) => makeResident(directory, bytes, signal),
    },
    shaped: stack.use(await startOrigin(SHAPED, SEED)),
    unshaped: stack.use(await startOrigin({ latencyMs: 0, bytesPerSecond: Infinity }, SEED)),
    directory,
    quick: options.quick,
    signal,
  };
  const rounds = options.quick ? 3 : 5;
  const outcomes: Outcome[] = [];
  for (const group of GROUPS) {
    const wanted = (id: string) => options.only?.includes(id) ?? true;
    if (group.ids.some(wanted)) outcomes.push(...await runGroup(group, run, rounds, wanted));
  }
  const lines = costs.lines();
  outcomes.push(...fetchedOutcomes(lines));
  const findings: CacheFindings = {
    when: new Date().toISOString(),
    place,
    tools: { fio, warpdrive: options.program ?? "from source" },
    rounds,
    seed: SEED,
    outcomes,
    costs: lines,
    targets: CACHE_TARGETS.map((target) => judge(target, outcomes)),
  };
  say([...closingLines(findings), "", ...headingLines(findings)]);
  if (options.json !== null) {
    await Deno.writeTextFile(options.json, JSON.stringify(findings, null, 2) + "\n");
  }
  return findings.targets.every(({ verdict }) => verdict !== "missed");
}

/** How many bytes small reads fetched, which was measured with their speed. */
function fetchedOutcomes(lines: readonly CostLine[]): Outcome[] {
  const of = lines.filter(({ experiment, contender }) =>
    experiment === "cold-random" && contender === CACHE
  );
  return of.map(({ contender, fetchedRatio }) => ({
    id: "cold-random-bytes",
    title: "Cold, random 4 KiB: bytes fetched over bytes asked",
    unit: "ratio",
    scores: [{ name: contender, values: [fetchedRatio], ...summarize([fetchedRatio]) }],
  }));
}

async function runGroup(
  group: Group,
  run: Run,
  rounds: number,
  wanted: (id: string) => boolean,
): Promise<Outcome[]> {
  await using stack = new AsyncDisposableStack();
  const outcomes: Outcome[] = [];
  for (const experiment of await group.prepare(run, stack)) {
    if (!wanted(experiment.id)) continue;
    const outcome = await runExperiment(experiment, rounds, run.signal);
    say(outcomeLines(outcome));
    say([`  load ${(Deno.loadavg()[0] ?? NaN).toFixed(1)}`]);
    outcomes.push(outcome);
  }
  return outcomes;
}

if (import.meta.main) {
  const program = { help: HELP, parse: parseOptions, run: bench };
  Deno.exit(await runBenchmark(program, Deno.args, Deno.exit));
}
