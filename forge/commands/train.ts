/** `warpdrive forge train`, and `warpdrive forge` alone: reads shards and learns from them. */
import { type Command, type CommandContext, createParser } from "../../cache/platform/cli.ts";
import { parseArguments } from "../../cache/platform/cli.ts";
import { EXIT, type ExitCode } from "../../cache/platform/exit.ts";
import type { Model } from "../train/model.ts";
import { rootLine, summaryLine, summaryRecord, windowLine, windowRecord } from "../train/report.ts";
import {
  DEFAULT_FILE,
  readTrainSettings,
  TrainFlags,
  type TrainSettings,
} from "../train/settings.ts";
import { ShardLoader } from "../train/shard_loader.ts";
import { epochs } from "../train/shard_order.ts";
import { findShards, parityWarning, type Root, type Shard } from "../train/shards.ts";
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
    const roots = await findShards(settings.roots, context.signal);
    return await run(settings, roots, flags.json, context);
  },
};

async function run(
  settings: TrainSettings,
  roots: readonly Root[],
  json: boolean,
  { stdout, logger, clock, signal }: CommandContext,
): Promise<ExitCode> {
  const print = (line: string) => stdout.write(`${line}\n`);
  const warning = parityWarning(roots);
  if (warning !== null) logger.warn("Shards lie unusually", { warning });
  if (!json) roots.forEach((root) => print(rootLine(root)));
  using loader = new ShardLoader(shardsOf(roots, settings.seed), {
    workers: settings.workers,
    readAheadBytes: settings.readAheadBytes,
  });
  using model = createModel(settings);
  const outcome = await train({
    chunks: loader.chunks(signal),
    model,
    steps: settings.steps,
    batchSize: settings.batchSize,
    logEvery: settings.logEvery,
    clock,
    onWindow: (window) => print(json ? JSON.stringify(windowRecord(window)) : windowLine(window)),
  }, signal);
  print(json ? JSON.stringify(summaryRecord(outcome)) : summaryLine(outcome));
  return EXIT.done;
}

function createModel({ seed }: TrainSettings): Model {
  return new Softmax(seed);
}

function* shardsOf(roots: readonly Root[], seed: number): Generator<Shard, never> {
  const endless = epochs(roots, seed);
  while (true) yield* endless.next().value;
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
