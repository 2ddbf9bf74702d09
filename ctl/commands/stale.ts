/** `warpdrive ctl stale`: what is cached and nobody has read for long. */
import { z } from "zod";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { staleObjects } from "../../cache/object/stale_objects.ts";
import {
  STALE,
  STALE_LIMIT_MAX,
  staleAnswer,
  type StaleObject,
  type StaleRequest,
} from "../api_stale.ts";
import { ask } from "../connect.ts";
import { LOOK_FLAGS, LOOK_OPTIONS, lookAtCache } from "../look_at_cache.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRows } from "../output/format.ts";
import { parseCount, parseDays, parseSize } from "../parse_count.ts";

const HELP = `
Examples:
  warpdrive ctl stale --days 30
  warpdrive ctl stale --days 7 --min-size 1GiB --limit 100 --format csv
  warpdrive ctl stale --config /etc/warpdrive/config.yaml
The longest unread comes first. "warpdrive ctl evict --stale DAYS" takes such objects out.
With no mount running, --config or --cache reads the cache directory.`;

const Flags = z.object({
  ...LOOK_FLAGS,
  days: z.string(),
  minSize: z.string(),
  limit: z.string(),
  format: z.string(),
});

/** The columns, in the order that stays. */
export const STALE_COLUMNS: readonly Column<StaleObject>[] = [
  { key: "backend", header: "BACKEND", kind: "text", value: ({ backend }) => backend },
  { key: "path", header: "PATH", kind: "text", value: ({ path }) => path },
  { key: "size_bytes", header: "SIZE", kind: "bytes", value: (row) => row.size_bytes },
  {
    key: "last_modified",
    header: "LAST MODIFIED",
    kind: "time",
    value: (row) => Date.parse(row.last_modified),
  },
  {
    key: "last_access",
    header: "LAST ACCESS",
    kind: "time",
    value: (row) => Date.parse(row.last_access),
  },
  { key: "cached_bytes", header: "CACHED", kind: "bytes", value: (row) => row.cached_bytes },
  { key: "pinned", header: "PINNED", kind: "state", value: ({ pinned }) => pinned ? "yes" : "no" },
];

/** `warpdrive ctl stale`. */
export const staleCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl stale", context)
      .description("Show what is cached and nobody has read for long.")
      .argument("[path]", "anything below the mount")
      .option("--days <n>", "days nobody has read it", "30")
      .option("--min-size <size>", "only objects of at least this size", "0")
      .option("--limit <n>", "objects shown at most", "1000");
    for (const [flag, meaning] of LOOK_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const request = requestOf(flags);
    const { objects, more } = await lookAtCache({ ...flags, path: line.operands[0] ?? null }, {
      mount: (client) => ask(client, STALE, request, context),
      idle: async ({ index }) => {
        const nowMs = context.clock.wallMs();
        const question = questionOf(request);
        return staleAnswer(
          await staleObjects(index, question, nowMs, () => false, context.signal),
        );
      },
    }, context);
    printRows(objects, STALE_COLUMNS, format, context.stdout);
    if (more) {
      context.stderr.write(`There are more than ${request.limit}: raise --limit or --min-size\n`);
    }
    return EXIT.done;
  },
};

function requestOf({ days, minSize, limit }: z.output<typeof Flags>): StaleRequest {
  return {
    older_than_seconds: parseDays("--days", days) / 1_000,
    min_size_bytes: parseSize("--min-size", minSize),
    limit: parseCount("--limit", limit, 1, STALE_LIMIT_MAX),
  };
}

function questionOf(request: StaleRequest) {
  return {
    olderThanMs: request.older_than_seconds * 1_000,
    minSizeBytes: request.min_size_bytes,
    limit: request.limit,
  };
}
