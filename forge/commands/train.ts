/** `warpdrive forge train`, and `warpdrive forge` alone: reads shards and learns from them. */
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import type { OrderPlan } from "../plan.ts";
import { PLOT_POINTS_MAX, type PlotFile, plotFileOf, writePlot } from "../plot/plot_file.ts";
import { StepSeries } from "../plot/step_series.ts";
import type { Model } from "../train/model.ts";
import { rootLine, summaryLine, summaryRecord, windowLine, windowRecord } from "../train/report.ts";
import {
  DEFAULT_FILE,
  readTrainSettings,
  TrainFlags,
  type TrainSettings,
} from "../train/settings.ts";
import { ShardLoader } from "../train/shard_loader.ts";
import { shardOrder } from "../train/shard_order.ts";
import { findShards, parityWarning, type Root } from "../train/shards.ts";
import { Softmax } from "../train/softmax.ts";
import { train } from "../train/training.ts";

const EXAMPLES = `
Examples:
  warpdrive forge --train-root /wd/datasets-cac/train --train-root /wd/datasets-wus3/train
  warpdrive forge --config configs/demo.yaml --steps 300 --seed 7

The same seed gives the same samples in the same order and the same losses, whatever the number of
workers, the machine and the state of a cache.`;

/** `warpdrive forge train`. */
export const trainCommand: Command = {
  async run(args, context) {
    const parser = createParser("forge train", context)
      .description("Train a classifier on the shards below some directories.")
      .option("--config <file>", `settings (default ${DEFAULT_FILE}, where there is one)`)
      .option("--train-root <directory>", "directory with shards; give it once for each", collect)
      .option("--train-root-a <directory>", "the first directory")
      .option("--train-root-b <directory>", "the second directory")
      .option("--steps <n>", "steps to train (default 2000)")
      .option("--batch-size <n>", "samples per step (default 64)")
      .option("--num-workers <n>", "shards read at once (default 8)")
      .option("--seed <n>", "what order and weights are drawn from (default 42)")
      .option("--log-every <n>", "steps between two lines of output (default 100)")
      .option("--read-ahead <size>", "bytes of shards begun before their turn (default 256MiB)")
      .option("--model <name>", "softmax (the default) or webgpu, the same on a GPU")
      .option("--order-plan", "tell WarpDrive mounts the order of the shards (the default)")
      .option("--no-order-plan", "do not tell it")
      .option("--plot <file>", "draw images per second and loss: FILE.svg or FILE.png")
      .option("--json", "print a JSON object per line, for programs")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = TrainFlags.parse(line.options);
    const settings = readTrainSettings(flags, {
      env: context.env,
      readTextFile: (path) => Deno.readTextFileSync(path),
      workingDirectory: Deno.cwd(),
      exists: (path) => isFile(path),
    });
    const plot = flags.plot === undefined ? null : plotFileOf(flags.plot);
    const roots = await findShards(settings.roots, context.signal);
    await run({ settings, roots, plot, json: flags.json }, context);
    return EXIT.done;
  },
};

/** What a run is made of. */
interface Run {
  readonly settings: TrainSettings;
  readonly roots: readonly Root[];
  /** Null draws nothing. */
  readonly plot: PlotFile | null;
  /** Print for programs. */
  readonly json: boolean;
}

async function run(what: Run, context: CommandContext): Promise<void> {
  const { settings, roots, plot, json } = what;
  const { stdout, logger, clock, signal } = context;
  const print = (line: string) => stdout.write(`${line}\n`);
  const warning = parityWarning(roots);
  if (warning !== null) logger.warn("Shards lie unusually", { warning });
  if (!json) roots.forEach((root) => print(rootLine(root)));
  using model = await createModel(settings);
  await using plan = await beginPlan(what, context);
  using loader = new ShardLoader(shardOrder(roots, settings.seed), {
    workers: settings.workers,
    readAheadBytes: settings.readAheadBytes,
    onConsumed: (samples) => plan?.consumed(samples),
  });
  const series = new StepSeries(PLOT_POINTS_MAX);
  const outcome = await train({
    chunks: loader.chunks(signal),
    model,
    steps: settings.steps,
    batchSize: settings.batchSize,
    logEvery: settings.logEvery,
    clock,
    onStep: (step) => series.add(step),
    onWindow: (window) => print(json ? JSON.stringify(windowRecord(window)) : windowLine(window)),
  }, signal);
  print(json ? JSON.stringify(summaryRecord(outcome)) : summaryLine(outcome));
  if (plot !== null) {
    await writePlot(plot, titleOf(settings), [{ name: "this run", curve: series.curve }]);
  }
}

/** Null without one; loaded only then, with the client that talks to a mount. */
async function beginPlan(
  { settings, roots }: Run,
  { clock, logger }: CommandContext,
): Promise<OrderPlan | null> {
  if (!settings.orderPlan) return null;
  const { OrderPlan } = await import("../plan.ts");
  const { seed, steps, batchSize, readAheadBytes } = settings;
  const samples = steps * batchSize;
  return await OrderPlan.begin(
    { roots, seed, samples, readAheadBytes },
    { libc: Libc.open(), clock, logger },
  );
}

function titleOf({ steps, batchSize, seed, model }: TrainSettings): string {
  return `${steps} steps of ${batchSize} images, seed ${seed}, model ${model}`;
}

async function createModel({ model, seed, batchSize }: TrainSettings): Promise<Model> {
  switch (model) {
    case "softmax":
      return new Softmax(seed);
    case "webgpu": {
      const { WebgpuSoftmax } = await import("../train/webgpu_softmax.ts");
      return await WebgpuSoftmax.open(navigator.gpu, seed, batchSize);
    }
  }
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...earlier ?? [], value];
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
