/** `warpdrive forge dataset`: makes, packs and checks the shards that the trainer reads. */
import type { Command } from "../../cache/platform/cli.ts";
import {
  type CommandRow,
  type CommandTable,
  runCommandOf,
} from "../../cache/platform/command_table.ts";

const COMMANDS: readonly CommandRow[] = [
  {
    name: "make",
    summary: "make shards of synthetic images",
    load: async () => (await import("./dataset_make.ts")).datasetMakeCommand,
  },
  {
    name: "pack",
    summary: "pack a directory of images with labels into shards",
    load: async () => (await import("./dataset_pack.ts")).datasetPackCommand,
  },
  {
    name: "check",
    summary: "check shards: samples, labels, images, names",
    load: async () => (await import("./dataset_check.ts")).datasetCheckCommand,
  },
];

const TABLE: CommandTable = {
  path: "forge dataset",
  rows: COMMANDS,
  describe: (parser) => parser.description("Make, pack and check shards to train from."),
};

/** `warpdrive forge dataset`. */
export const datasetCommand: Command = {
  run: (args, context) => runCommandOf(TABLE, args, context),
};
