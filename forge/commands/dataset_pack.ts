/** `warpdrive forge dataset pack`: images that are there, with labels, into shards. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { CommandError, EXIT } from "../../cache/platform/exit.ts";
import { SEED_MAX } from "../../cache/platform/random.ts";
import { integer, size } from "../../cache/platform/setting.ts";
import { CLASSES_FILE } from "../dataset/data_set_check.ts";
import { DatasetWorkers } from "../dataset/dataset_workers.ts";
import { collected, prefix, readFlags, wrongFlags } from "../dataset/flag_values.ts";
import { readImageFolder } from "../dataset/image_folder.ts";
import type { LabelledImages } from "../dataset/labelled_images.ts";
import { openTargets } from "../dataset/open_targets.ts";
import { cutIntoShards, orderedImages, type ShardLimit } from "../dataset/pack_plan.ts";
import { writtenLines, writtenRecord } from "../dataset/report.ts";
import { ShardProgress } from "../dataset/shard_progress.ts";
import { writeShards } from "../dataset/write_shards.ts";

const PROGRAM = "forge dataset pack";
const SAMPLES = 500;

const EXAMPLES = `
Examples:
  warpdrive forge dataset pack /data/imagenet/train --out /data/shards --shard-bytes 100MiB
  warpdrive forge dataset pack /data/coco/train2017 --out azblob://ACCOUNT/CONTAINER \\
    --coco /data/coco/annotations/instances_train2017.json

Without --coco, DIR has a directory for each class. With it, an image has the category of its
largest annotation. ${CLASSES_FILE}, beside the shards, names the class of each label by its line.`;

const PACK_FLAGS = z.object({
  out: z.array(z.string()).default([]),
  prefix: prefix().prefault("train"),
  coco: z.string().optional(),
  unannotated: z.string().min(1, { error: "wanted the name of a class" }).optional(),
  samples: integer(1, 1_000_000).optional(),
  shardBytes: size(1, 'a size such as "100MiB"').optional(),
  seed: integer(0, SEED_MAX).prefault("42"),
  shuffle: z.boolean().default(true),
  names: z.boolean().default(false),
  skipDamaged: z.boolean().default(false),
  parallel: integer(1, 64).prefault("8"),
  force: z.boolean().default(false),
  json: z.boolean().default(false),
});
type PackFlags = z.output<typeof PACK_FLAGS>;

/** `warpdrive forge dataset pack`. */
export const datasetPackCommand: Command = {
  async run(args, context) {
    const parser = createParser(PROGRAM, context)
      .description("Pack images with labels into shards; their bytes are copied as they are.")
      .argument("<dir>", "the images")
      .option(
        "--out <place>",
        "directory or URL to write to; shards are dealt to several",
        collected,
      )
      .option("--prefix <path>", 'directory below each place (default "train")')
      .option("--coco <file>", "labels from COCO instances instead of directories")
      .option("--unannotated <class>", "class of images without annotation, else left out")
      .option("--samples <n>", `images in each shard (default ${SAMPLES})`)
      .option("--shard-bytes <size>", "size of each shard, instead of a number of images")
      .option("--seed <n>", "what the order is drawn from (default 42)")
      .option("--no-shuffle", "keep the order of the names")
      .option("--names", "put the name of each image beside it, as JSON")
      .option("--skip-damaged", "leave out what is no image, instead of ending there")
      .option("--parallel <n>", "shards packed and uploaded at once (default 8)")
      .option("--force", "replace the shards that are there")
      .option("--json", "print a JSON object, for programs")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = readFlags(PROGRAM, PACK_FLAGS, line.options);
    const limit = limitOf(flags);
    const { clock, stdout, stderr, signal } = context;
    const begunMs = clock.monotonicMs();
    await using opened = await openTargets(PROGRAM, flags.out, flags.prefix, context);
    const found = await imagesIn(resolve(line.operands[0] ?? ""), flags, signal);
    const shards = await cutIntoShards(
      orderedImages(found.images, flags.shuffle ? flags.seed : null),
      limit,
      async (path) => (await Deno.stat(path)).size,
    );
    await using workers = DatasetWorkers.onCores(flags.parallel);
    using progress = new ShardProgress(stderr, clock, "packed", shards.length);
    const { parallel, force, names: withNames, skipDamaged } = flags;
    const written = await writeShards(
      {
        shards: shards.map((images) => ({ kind: "pack", images, withNames, skipDamaged })),
        texts: new Map([[CLASSES_FILE, found.classes.map((name) => `${name}\n`).join("")]]),
        targets: opened.targets,
        parallel,
        force,
      },
      workers,
      ({ sizeBytes }) => progress.add(sizeBytes),
      signal,
    );
    progress.hide();
    const wallMs = clock.monotonicMs() - begunMs;
    const lines = flags.json
      ? [JSON.stringify(writtenRecord(written, found.leftOut, wallMs))]
      : writtenLines(written, found.leftOut, wallMs);
    stdout.write(`${lines.join("\n")}\n`);
    return EXIT.done;
  },
};

function limitOf({ samples, shardBytes, coco, unannotated }: PackFlags): ShardLimit {
  if (unannotated !== undefined && coco === undefined) {
    throw wrongFlags(PROGRAM, "--unannotated is given without --coco, wanted both or none");
  }
  if (shardBytes === undefined) return { by: "samples", samples: samples ?? SAMPLES };
  if (samples === undefined) return { by: "bytes", bytes: shardBytes };
  throw wrongFlags(PROGRAM, "--samples and --shard-bytes are given, wanted one of them");
}

async function imagesIn(
  directory: string,
  { coco: file, unannotated }: PackFlags,
  signal: AbortSignal,
): Promise<LabelledImages> {
  try {
    if (file === undefined) return await readImageFolder(directory, signal);
    const { readCoco } = await import("../dataset/coco.ts");
    const source = { directory, file: resolve(file), unannotated: unannotated ?? null };
    return await readCoco(source, signal);
  } catch (cause) {
    if (signal.aborted || cause instanceof CommandError) throw cause;
    const hint = "Name a directory of images that you may read";
    throw new CommandError("failed", `Cannot pack "${directory}": it cannot be read`, hint, {
      cause,
    });
  }
}
