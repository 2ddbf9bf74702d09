/** `warpdrive forge`: the trainer. What is no name of a command is training's. */
import type { Command } from "../cache/platform/cli.ts";
import { CommandError } from "../cache/platform/exit.ts";
import {
  type CommandRow,
  type CommandTable,
  runCommandOf,
} from "../cache/platform/command_table.ts";
import { addTrainOptions } from "./train/options.ts";

const COMMANDS: readonly CommandRow[] = [
  {
    name: "train",
    summary: "train a classifier on shards (the default)",
    load: async () => (await import("./commands/train.ts")).trainCommand,
  },
  {
    name: "dataset",
    summary: "make, pack and check shards to train from",
    load: async () => (await import("./commands/dataset.ts")).datasetCommand,
  },
];

const TABLE: CommandTable = {
  path: "forge",
  rows: COMMANDS,
  describe: (parser) =>
    addTrainOptions(parser)
      .description("Train a classifier on tar shards. Without a command: train, by these options."),
};

/** `warpdrive forge`. */
export const forgeCommand: Command = {
  async run(args, context) {
    const [first] = args;
    // No command has a slash: somebody names a directory as other programs take it.
    if (first?.includes("/") === true && !first.startsWith("-")) {
      throw new CommandError(
        "usage",
        `Cannot run "warpdrive forge ${first}": a directory is given by its flag`,
        `Run "warpdrive forge --train-root ${first}"`,
      );
    }
    const isTraining = first === undefined ||
      (first.startsWith("-") && first !== "--help" && first !== "-h");
    return await runCommandOf(TABLE, isTraining ? ["train", ...args] : args, context);
  },
};
