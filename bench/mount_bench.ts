/**
 * `deno task bench`: the mount against the files below it, and against rclone where it is
 * installed, in one run. Everything measured is interleaved with what it is compared with.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../cache/platform/clock.ts";
import { measuredProgram, runBenchmark, say } from "./benchmark_program.ts";
import { type Experiment, type Outcome, runExperiment } from "./experiment.ts";
import { fioVersion } from "./fio.ts";
import { thisPlace } from "./machine.ts";
import {
  type Bench,
  findCold,
  findWarm,
  heat,
  passthroughMany,
  passthroughOne,
  random,
  servedBuffered,
  servedCold,
  servedDirect,
  type View,
} from "./mount_experiments.ts";
import { closingLines, type Findings, headingLines, outcomeLines } from "./mount_report.ts";
import type { Memory } from "./mount_report.ts";
import { type Mount, type MountDeps, mountRclone, mountWarpdrive } from "./mounts.ts";
import { type SampleShape, writeSample } from "./sample_files.ts";
import {
  judge,
  MEMORY_MIB_MAX,
  PASSTHROUGH,
  RAW,
  RCLONE_FULL,
  RCLONE_OFF,
  SERVED,
  TARGETS,
  type Verdict,
} from "./targets.ts";

const HELP = `deno task bench [options]: measure the mount

  --quick           smaller files, shorter passes, 3 rounds: to see that all works
  --only ID,…       only these experiments
  --json FILE       write everything measured to FILE
  --dir DIR         put the sample files below DIR (default: the temporary directory)
  --program FILE    measure this compiled warpdrive instead of the source
  --rclone FILE     compare with this rclone (default: the one on PATH; "": with none)

It needs fio, 3.2 GB of disk and as much free memory, and takes about four minutes. As root it also
drops the page cache of the machine, for the experiment that asks for it. Exit code 1 when a target
was missed.`;

const SEED = "warpdrive bench 1";
const MIB = 1024 * 1024;
const FULL: SampleShape = {
  bigBytes: 1024 * MIB,
  shards: 32,
  // fio opens a file again for every pass: short files would measure opens.
  shardBytes: 64 * MIB,
  directories: 200,
  filesPerDirectory: 100,
};
const QUICK: SampleShape = { ...FULL, bigBytes: 128 * MIB, shardBytes: 2 * MIB, directories: 20 };

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));

interface Options {
  readonly quick: boolean;
  readonly only: readonly string[] | null;
  readonly json: string | null;
  readonly dir: string | null;
  readonly program: string | null;
  readonly rclone: string | null;
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
      rclone: { type: "string" },
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
    // An empty name means: no comparison.
    rclone: values.rclone === "" ? null : values.rclone ?? onPath("rclone"),
  };
}

function onPath(program: string): string | null {
  const candidates = (Deno.env.get("PATH") ?? "").split(":").map((path) => `${path}/${program}`);
  return candidates.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}

/** Runs everything; true when no target was missed. */
async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  const finds = options.only?.every((id) => id.startsWith("find-")) ?? false;
  const fio = finds ? "without fio" : await fioVersion(signal);
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({
    prefix: "warpdrive-bench-",
    ...(options.dir === null ? {} : { dir: options.dir }),
  });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const root = `${directory}/data`;
  await Deno.mkdir(root);
  const rounds = options.quick ? 3 : 5;
  const shape = options.quick ? QUICK : FULL;
  say([`Writing the sample files below ${directory}`]);
  await writeSample(root, shape, SEED, signal);

  const deps: MountDeps = { clock: systemClock, signal, directory };
  const place = await thisPlace(root, REPOSITORY);
  const subject: Bench = {
    raw: { name: RAW, path: root },
    shape,
    seconds: options.quick ? 0.5 : 1,
    clock: systemClock,
  };
  const fleet = await startFleet(options, root, deps, stack);
  const { rclone, program } = fleet;
  const fresh = [
    { name: PASSTHROUGH, mount: () => mountWarpdrive(program, root, true, deps) },
    ...(rclone === null
      ? []
      : [{ name: RCLONE_OFF, mount: () => mountRclone(rclone, root, "off", deps) }]),
  ];
  const served = [fleet.view(SERVED), ...fleet.peers];
  const experiments = [
    passthroughOne(subject, fleet.view(PASSTHROUGH)),
    passthroughMany(subject, fleet.view(PASSTHROUGH)),
    servedDirect(subject, served),
    servedBuffered(subject, served),
    random(subject, served),
    findCold(subject, fresh),
    findWarm(subject, [fleet.view(PASSTHROUGH), ...fleet.peers.slice(0, 1)]),
    ...(Deno.uid() === 0 ? [servedCold(subject, served, dropCaches)] : []),
  ].filter(({ id }) => options.only?.includes(id) ?? true);

  await heat(subject, signal);
  const outcomes = await runAll(experiments, rounds, signal);
  const memory = fleet.memory();
  const findings: Findings = {
    when: new Date().toISOString(),
    place,
    tools: { fio, warpdrive: options.program ?? "from source" },
    rounds,
    seed: SEED,
    outcomes,
    memory,
    targets: [...TARGETS.map((target) => judge(target, outcomes)), ...memory.flatMap(judgeMemory)],
  };
  say([...closingLines(findings), "", ...headingLines(findings)]);
  if (rclone === null) say(["rclone is not installed: nothing was compared with it"]);
  if (options.json !== null) {
    await Deno.writeTextFile(options.json, JSON.stringify(findings, null, 2) + "\n");
  }
  return findings.targets.every(({ verdict }) => verdict !== "missed");
}

async function runAll(
  experiments: readonly Experiment[],
  rounds: number,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const experiment of experiments) {
    const outcome = await runExperiment(experiment, rounds, signal);
    say(outcomeLines(outcome));
    outcomes.push(outcome);
  }
  return outcomes;
}

/** The mounts that live through the whole run. */
interface Fleet {
  readonly program: readonly string[];
  readonly rclone: string | null;
  view(name: string): View;
  readonly peers: readonly View[];
  memory(): Memory[];
}

async function startFleet(
  { program: binary, rclone }: Options,
  root: string,
  deps: MountDeps,
  stack: AsyncDisposableStack,
): Promise<Fleet> {
  const program = measuredProgram(binary);
  const mounts = new Map<string, Mount>();
  const add = async (name: string, mount: Promise<Mount>) => {
    mounts.set(name, stack.use(await mount));
  };
  await add(PASSTHROUGH, mountWarpdrive(program, root, true, deps));
  await add(SERVED, mountWarpdrive(program, root, false, deps));
  if (rclone !== null) {
    await add(RCLONE_OFF, mountRclone(rclone, root, "off", deps));
    await add(RCLONE_FULL, mountRclone(rclone, root, "full", deps));
  }
  const view = (name: string): View => ({ name, path: mounts.get(name)?.path ?? "" });
  return {
    program,
    rclone,
    view,
    peers: rclone === null ? [] : [view(RCLONE_OFF), view(RCLONE_FULL)],
    memory: () => [...mounts].map(([name, mount]) => ({ name, peakMib: mount.peakMemoryMib() })),
  };
}

/** Gives up all clean pages and directory entries of the machine. */
async function dropCaches(): Promise<void> {
  await Deno.writeTextFile("/proc/sys/vm/drop_caches", "3");
}

function judgeMemory({ name, peakMib }: Memory): Verdict[] {
  if (name !== PASSTHROUGH && name !== SERVED) return [];
  return [{
    text: `resident memory of ${name}: below ${MEMORY_MIB_MAX} MiB throughout`,
    reached: peakMib,
    verdict: peakMib < MEMORY_MIB_MAX ? "reached" : "missed",
  }];
}

if (import.meta.main) {
  const program = { help: HELP, parse: parseOptions, run: bench };
  Deno.exit(await runBenchmark(program, Deno.args, Deno.exit));
}
