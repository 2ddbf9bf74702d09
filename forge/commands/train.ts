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
import { addTrainOptions } from "../train/options.ts";
import { rootLine, summaryLine, summaryRecord, windowLine, windowRecord } from "../train/report.ts";
import { readTrainSettings, TrainFlags, type TrainSettings } from "../train/settings.ts";
import { ShardLoader } from "../train/shard_loader.ts";
import { shardOrder } from "../train/shard_order.ts";
import { findShards, parityWarning, type Root } from "../train/shards.ts";
import { Softmax } from "../train/softmax.ts";
import { train } from "../train/training.ts";

/** `warpdrive forge train`. */
export const trainCommand: Command = {
  async run(args, context) {
    const parser = addTrainOptions(createParser("forge train", context))
      .description("Train a classifier on the shards below some directories.");
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

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
