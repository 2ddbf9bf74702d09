/**
 * `deno task bench:forge`: how many samples a second `warpdrive forge` takes from a warm mount,
 * against a plain loop over the raw files and against itself over them, in turn.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../cache/platform/clock.ts";
import { z } from "zod";
import { measuredProgram, runBenchmark, say } from "./benchmark_program.ts";
import { mountCache } from "./cache_mount.ts";
import { type Contender, runExperiment } from "./experiment.ts";
import { serveFiles } from "./file_origin.ts";
import { thisPlace } from "./machine.ts";
import { outcomeLines } from "./mount_report.ts";
import { plainLoop } from "./plain_loop.ts";
import { type ShardShape, writeShardFiles } from "./shard_files.ts";

const HELP = `deno task bench:forge [options]: measure the trainer over a warm mount

  --rounds N        measure everything N times (default 5)
  --workers N       workers of the trainer (default: as many as there are cores)
  --program FILE    measure this compiled warpdrive instead of the source

It needs 0.4 GB of disk and as much free memory, and takes about a minute. Exit code 1 when the
mount gives less than 0.9 of what the plain loop reads.`;

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
/** The wanted share of the plain loop's speed. */
const SHARE_MIN = 0.9;
const SHAPE: ShardShape = { shards: 20, samples: 480, imageBytes: 15_000 };
/** Epochs that count. */
const EPOCHS = 4;
const BATCH = 32;
const EPOCH_STEPS = SHAPE.shards * SHAPE.samples / BATCH;
const MIB = 1024 * 1024;

const EpochRecord = z.object({
  event: z.literal("window"),
  samples: z.number(),
  images_per_sec: z.number(),
});

interface Options {
  readonly rounds: number;
  readonly workers: number;
  /** Command line that starts the program. */
  readonly program: readonly string[];
}

function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      workers: { type: "string", default: String(navigator.hardwareConcurrency) },
      program: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    rounds: Number(values.rounds),
    workers: Number(values.workers),
    program: measuredProgram(values.program ?? null),
  };
}

/** Runs everything; true when the mount gives enough. */
async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const raw = `${directory}/raw`;
  await Deno.mkdir(raw);
  const names = await writeShardFiles(raw, SHAPE, "warpdrive forge bench 1", signal);
  const origin = stack.use(serveFiles(raw, names));
  const setup = { sizeBytesMax: 1024 * MIB, memoryBytes: 256 * MIB, passthrough: true };
  const deps = { clock: systemClock, signal, directory };
  const mount = stack.use(await mountCache(options.program, origin, setup, deps));
  const loop: Contender = { name: "plain loop, raw", measure: () => loopOver(raw, names, signal) };
  const forge = (name: string, path: string): Contender => (
    { name, measure: () => forgeOver(path, options, signal) }
  );
  const contenders = [loop, forge("forge, raw", raw), forge("forge, warm mount", mount.path)];
  // The first time everything is cold: the cache, the kernel's pages, the compiler of the loop.
  for (const { measure } of contenders) await measure(signal);
  const place = await thisPlace(raw, REPOSITORY);
  say([
    `${place.processor}, ${place.cores} cores, Linux ${place.kernel}, Deno ${place.deno}, ` +
    `commit ${place.commit}, load ${place.load.toFixed(1)} at the start`,
  ]);
  const title = `${EPOCHS} epochs of ${SHAPE.shards} shards of ${SHAPE.samples} images, ` +
    `${options.workers} workers`;
  const experiment = { id: "forge", title, unit: "IOPS", contenders } as const;
  const outcome = await runExperiment(experiment, options.rounds, signal);
  say(outcomeLines({ ...outcome, title: `Samples per second: ${title}` }));
  const [plain, , warm] = outcome.scores;
  const share = (warm?.median ?? NaN) / (plain?.median ?? NaN);
  const verdict = share >= SHARE_MIN ? "pass" : "FAIL";
  say(["", `${verdict}  warm mount ${share.toFixed(2)} of the plain loop, wanted ${SHARE_MIN}`]);
  return share >= SHARE_MIN;
}

async function loopOver(
  directory: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const paths = names.map((name) => `${directory}/${name}`);
  const startedMs = systemClock.monotonicMs();
  let images = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    images += (await plainLoop(paths, signal)).images;
  }
  return images / (systemClock.monotonicMs() - startedMs) * 1_000;
}

/** Without its first epoch, in which workers start and code is compiled, as the loop's was. */
async function forgeOver(
  root: string,
  { program, workers }: Options,
  signal: AbortSignal,
): Promise<number> {
  const [first = "", ...rest] = program;
  const steps = ["--steps", String((EPOCHS + 1) * EPOCH_STEPS), "--batch-size", String(BATCH)];
  const args = [...rest, "forge", "--train-root", root, "--num-workers", String(workers)];
  const { success, stdout, stderr } = await new Deno.Command(first, {
    args: [...args, ...steps, "--log-every", String(EPOCH_STEPS), "--json"],
    cwd: "/",
    stdin: "null",
    signal,
  }).output();
  if (!success) throw new Error(`Train on "${root}": ${new TextDecoder().decode(stderr)}`);
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n").slice(1, -1);
  const epochs = lines.map((line) => EpochRecord.parse(JSON.parse(line)));
  const samples = epochs.reduce((sum, epoch) => sum + epoch.samples, 0);
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.samples / epoch.images_per_sec, 0);
  return samples / seconds;
}

if (import.meta.main) {
  const program = { help: HELP, parse: parseOptions, run: bench };
  Deno.exit(await runBenchmark(program, Deno.args, Deno.exit));
}
