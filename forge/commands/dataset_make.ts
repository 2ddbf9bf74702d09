/** `warpdrive forge dataset make`: synthetic images, the same bytes for the same seed. */
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { DatasetWorkers } from "../dataset/dataset_workers.ts";
import { collected } from "../dataset/flag_values.ts";
import { readMakeSettings, syntheticShards } from "../dataset/make_settings.ts";
import { openTargets } from "../dataset/open_targets.ts";
import { writtenLines, writtenRecord } from "../dataset/report.ts";
import { ShardProgress } from "../dataset/shard_progress.ts";
import { writeShards } from "../dataset/write_shards.ts";

const PROGRAM = "forge dataset make";

const EXAMPLES = `
Examples:
  warpdrive forge dataset make --out /data/synthetic
  warpdrive forge dataset make --out /data/even --out /data/odd --shards 20 --samples 480
  warpdrive forge dataset make --out azblob://ACCOUNT/CONTAINER --image-size 640x480 \\
    --image-bytes 160KiB

With two places, shards with even numbers go to the first and those with odd numbers to the second.
The same flags give the same bytes on every machine.`;

/** `warpdrive forge dataset make`. */
export const datasetMakeCommand: Command = {
  async run(args, context) {
    const parser = createParser(PROGRAM, context)
      .description("Make shards of synthetic images: JPEGs that decode, and differ by class.")
      .option(
        "--out <place>",
        "directory or URL to write to; shards are dealt to several",
        collected,
      )
      .option("--prefix <path>", 'directory below each place (default "train")')
      .option("--shards <n>", "shards to make (default 100)")
      .option("--samples <n>", "images in each shard (default 500)")
      .option("--image-size <pixels>", "a side, or WIDTHxHEIGHT (default 224)")
      .option("--image-bytes <size>", "size of a mean image (default 0.3 bytes for each pixel)")
      .option("--classes <n>", "labels go from 0 to n - 1 (default 10)")
      .option("--seed <n>", "what everything is drawn from (default 42)")
      .option("--parallel <n>", "shards made and uploaded at once (default 8)")
      .option("--force", "replace the shards that are there")
      .option("--json", "print a JSON object, for programs")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const settings = readMakeSettings(PROGRAM, line.options);
    const { clock, stdout, stderr, signal } = context;
    const begunMs = clock.monotonicMs();
    await using opened = await openTargets(PROGRAM, settings.out, settings.prefix, context);
    await using workers = DatasetWorkers.onCores(settings.parallel);
    using progress = new ShardProgress(stderr, clock, "made", settings.shards);
    const { parallel, force, json } = settings;
    const plan = { shards: syntheticShards(settings), texts: new Map(), parallel, force };
    const written = await writeShards(
      { ...plan, targets: opened.targets },
      workers,
      ({ sizeBytes }) => progress.add(sizeBytes),
      signal,
    );
    progress.hide();
    const wallMs = clock.monotonicMs() - begunMs;
    const lines = json
      ? [JSON.stringify(writtenRecord(written, [], wallMs))]
      : writtenLines(written, [], wallMs);
    stdout.write(`${lines.join("\n")}\n`);
    return EXIT.done;
  },
};
