/** `warpdrive ctl explain`: everything known of one file. */
import { z } from "zod";
import { describeObject } from "../../cache/operations/object_description.ts";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { CommandError, EXIT } from "../../cache/platform/exit.ts";
import { EXPLAIN, type Explanation, versionAnswer } from "../api_explain.ts";
import { ask } from "../connect.ts";
import { type IdleCache, placesIn } from "../idle_cache.ts";
import { LOOK_FLAGS, LOOK_OPTIONS, lookAtCache } from "../look_at_cache.ts";
import { explanationSections } from "../explanation.ts";
import { FORMAT_OPTION, parseFormat, printReport } from "../output/format.ts";

const HELP = `
Examples:
  warpdrive ctl explain /mnt/data/imagenet/train/shard-000017.tar
  warpdrive ctl explain /mnt/data/a.bin --format json
  warpdrive ctl explain /mnt/data/a.bin --config /etc/warpdrive/config.yaml
  warpdrive ctl explain images:train/a.bin --cache /var/cache/warpdrive
Any user may explain files he may read. With no mount running, --config or --cache reads the cache
directory, and tells what is cached.`;

const Flags = z.object({ ...LOOK_FLAGS, format: z.string() });

/** `warpdrive ctl explain`. */
export const explainCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl explain", context)
      .description(
        "Show everything known of one file: what is cached, how it opens, when it leaves.",
      )
      .argument("<path>", "a file below the mount");
    for (const [flag, meaning] of LOOK_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const written = line.operands[0] ?? "";
    const explanation = await lookAtCache({ ...flags, path: written }, {
      mount: (client, path) => ask(client, EXPLAIN, { path: path ?? written }, context),
      idle: (cache, path) => explainIdle(cache, path ?? written),
    }, context);
    printReport(explanationSections(explanation), format, context.stdout);
    return EXIT.done;
  },
};

/** What the index alone tells. */
async function explainIdle(cache: IdleCache, path: string): Promise<Explanation> {
  const { index, blockBytes } = cache;
  const [place, ...others] = placesIn(cache, path);
  if (place === undefined || others.length > 0 || place.path === "") throw directory(path);
  const { backend, path: key } = place;
  const versions = [];
  for (const row of await index.versionsOf(backend, key)) {
    const blocks = await index.blocksOf(row.id);
    const { pinned } = row;
    const facts = { row, object: null, blocks, blockBytes, departure: null, pinned };
    versions.push(versionAnswer(describeObject(facts), "unknown", () => true));
  }
  const below = await index.tally(backend, key, { kind: "depth", depth: 0 }, null);
  if (versions.length === 0 && below.tallies.length > 0) throw directory(path);
  const listedMs = await index.listedMs(backend, key.split("/").slice(0, -1).join("/"));
  const nothing = { reason: null, version: null, size_bytes: null, modified: null };
  return {
    path,
    backend,
    key,
    kept: "cached",
    store: { state: "not_asked", ...nothing },
    next_open: null,
    versions,
    open: [],
    plans: [],
    names: {
      directory_listed: listedMs === null ? null : new Date(listedMs).toISOString(),
      silent_reason: null,
      silent_since: null,
    },
  };
}

function directory(path: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot explain "${path}": it is a directory, wanted a file`,
    'Add it up with "warpdrive ctl usage"',
  );
}
