/** `warpdrive forge dataset check`: everything that is wrong with some shards. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { integer } from "../../cache/platform/setting.ts";
import { checkDataSet, CLASSES_FILE, type DataSetProblem } from "../dataset/data_set_check.ts";
import { DatasetWorkers } from "../dataset/dataset_workers.ts";
import { readFlags } from "../dataset/flag_values.ts";
import { problemLine, problemRecord, reportLine, reportRecord } from "../dataset/report.ts";
import { ShardProgress } from "../dataset/shard_progress.ts";
import { findShards } from "../train/shards.ts";

const PROGRAM = "forge dataset check";

const EXAMPLES = `
Examples:
  warpdrive forge dataset check /data/even /data/odd --shards 20 --samples 9600
  warpdrive forge dataset check /wd/datasets-cac/train --json

Looks at every byte of every shard: names, keys, pairs of image and label, labels, headers and ends
of images. Pixels are not decoded. Exit code 1 when anything is wrong.`;

const CHECK_FLAGS = z.object({
  classes: integer(1, 1_000_000_000).optional(),
  shards: integer(1, 1_000_000_000).optional(),
  samples: integer(1, 1_000_000_000).optional(),
  parallel: integer(1, 64).prefault("8"),
  json: z.boolean().default(false),
});

/** `warpdrive forge dataset check`. */
export const datasetCheckCommand: Command = {
  async run(args, context) {
    const parser = createParser(PROGRAM, context)
      .description("Check shards by the rules of the trainer, and tell all that is wrong.")
      .argument("<dir...>", "directories with shards, of one data set")
      .option("--classes <n>", `labels are below n (default: as ${CLASSES_FILE} beside them says)`)
      .option("--shards <n>", "how many shards there have to be")
      .option("--samples <n>", "how many samples there have to be in all")
      .option("--parallel <n>", "shards read at once (default 8)")
      .option("--json", "print a JSON object per line, for programs")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const { classes, shards, samples, parallel, json } = readFlags(
      PROGRAM,
      CHECK_FLAGS,
      line.options,
    );
    const { clock, stdout, stderr, signal } = context;
    const roots = await findShards(line.operands.map((path) => resolve(path)), signal);
    const total = roots.reduce((sum, root) => sum + root.shards.length, 0);
    await using workers = DatasetWorkers.onCores(parallel);
    using progress = new ShardProgress(stderr, clock, "checked", total);
    const print = (text: string) => {
      progress.hide();
      stdout.write(`${text}\n`);
    };
    const plan = { classes: classes ?? null, shards: shards ?? null, samples: samples ?? null };
    const report = await checkDataSet(
      { roots, parallel, ...plan },
      workers,
      {
        shard: ({ sizeBytes }) => progress.add(sizeBytes),
        problem: (problem: DataSetProblem) =>
          print(json ? JSON.stringify(problemRecord(problem)) : problemLine(problem)),
      },
      signal,
    );
    print(json ? JSON.stringify(reportRecord(report)) : reportLine(report));
    return report.problems === 0 ? EXIT.done : EXIT.failed;
  },
};
