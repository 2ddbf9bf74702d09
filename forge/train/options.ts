/** The flags of training. They are those of `forge train`, and of `forge` alone. */
import type { Command as Parser } from "commander";
import { DEFAULT_FILE } from "./settings.ts";

const EXAMPLES = `
Examples:
  warpdrive forge --train-root /wd/datasets-cac/train --train-root /wd/datasets-wus3/train
  warpdrive forge --config configs/demo.yaml --steps 300 --seed 7

The same seed gives the same samples in the same order and the same losses, whatever the number of
workers, the machine and the state of a cache.`;

/** Adds them to `parser`, with examples. */
export function addTrainOptions(parser: Parser): Parser {
  return parser
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
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...earlier ?? [], value];
}
