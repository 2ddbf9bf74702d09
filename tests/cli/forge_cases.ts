/** Command lines of `forge`, and exactly what they print and exit with. */
import type { CliCase } from "./cases.ts";

const HELP = `Usage: warpdrive forge [options] <command> [arguments]

Train a classifier on tar shards. Without a command: train, by these options.

Options:
  --config <file>             settings (default configs/demo.yaml, where there is one)
  --train-root <directory>    directory with shards; give it once for each
  --train-root-a <directory>  the first directory
  --train-root-b <directory>  the second directory
  --steps <n>                 steps to train (default 2000)
  --batch-size <n>            samples per step (default 64)
  --num-workers <n>           shards read at once (default 8)
  --seed <n>                  what order and weights are drawn from (default 42)
  --log-every <n>             steps between two lines of output (default 100)
  --read-ahead <size>         bytes of shards begun before their turn (default 256MiB)
  --model <name>              softmax (the default) or webgpu, the same on a GPU
  --order-plan                tell WarpDrive mounts the order of the shards (the default)
  --no-order-plan             do not tell it
  --plot <file>               draw images per second and loss: FILE.svg or FILE.png
  --json                      print a JSON object per line, for programs
  -h, --help                  show this help

Commands:
  train                       train a classifier on shards (the default)
  dataset                     make, pack and check shards to train from
  help [command]              show the help of a command

Examples:
  warpdrive forge --train-root /wd/datasets-cac/train --train-root /wd/datasets-wus3/train
  warpdrive forge --config configs/demo.yaml --steps 300 --seed 7

The same seed gives the same samples in the same order and the same losses, whatever the number of
workers, the machine and the state of a cache.
`;

/** All of them. */
export const FORGE_CASES: readonly CliCase[] = [
  { title: "shows the options of training", args: ["forge", "--help"], code: 0, stdout: HELP },
  {
    title: "says how a directory to train from is given",
    args: ["forge", "data/shards", "--steps", "5"],
    code: 2,
    stderr: `Cannot run "warpdrive forge data/shards": a directory is given by its flag
Hint: Run "warpdrive forge --train-root data/shards"
`,
  },
];
