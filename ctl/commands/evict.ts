/** `warpdrive ctl evict`: takes data out of the cache. */
import { z } from "zod";
import type { CacheSelector } from "../../cache/operations/cache_selector.ts";
import { distinctPlaces } from "../../cache/operations/cached_places.ts";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { CommandError, EXIT } from "../../cache/platform/exit.ts";
import { parseBytes, parseDurationMs } from "../../cache/platform/units.ts";
import { EVICT, type EvictAnswer, evictAnswer, type EvictRequest } from "../api_evict.ts";
import { MOUNT_FLAGS, MOUNT_OPTIONS } from "../connect.ts";
import { longCall } from "../long_call.ts";
import type { OfflineCache } from "../offline_cache.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRecord } from "../output/format.ts";
import { StatusLine } from "../../cache/platform/status_line.ts";
import { reachCache, selectOffline } from "../reach_cache.ts";

const HELP = `
Examples:
  warpdrive ctl evict /mnt/data/imagenet/train
  warpdrive ctl evict --stale 30 --min-size 1GiB --dry-run
  warpdrive ctl evict --stale 12h --config /etc/warpdrive/config.yaml
Pinned objects stay. Who has a file open reads on; its space comes back when it is closed.
With --config and no mount running, it works on the cache directory itself.`;

const DAY_MS = 86_400_000;

const Flags = z.object({
  ...MOUNT_FLAGS,
  stale: z.string().optional(),
  minSize: z.string().optional(),
  dryRun: z.boolean().default(false),
  format: z.string(),
});

/** What was done, and to how much. */
interface Eviction extends EvictAnswer {
  readonly result: "evicted" | "would be evicted";
}

const COLUMNS: readonly Column<Eviction>[] = [
  { key: "result", header: "RESULT", kind: "state", value: ({ result }) => result },
  { key: "objects", header: "OBJECTS", kind: "count", value: ({ objects }) => objects },
  { key: "bytes", header: "BYTES", kind: "bytes", value: ({ bytes }) => bytes },
  { key: "open_bytes", header: "STILL OPEN", kind: "bytes", value: (row) => row.open_bytes },
  { key: "pinned", header: "PINNED", kind: "count", value: ({ pinned }) => pinned },
];

/** `warpdrive ctl evict`. */
export const evictCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl evict", context)
      .description("Take data out of the cache.")
      .argument("[path...]", "files and directories below the mount")
      .option("--stale <age>", "what nobody has read for so many days, or for a time such as 12h")
      .option("--min-size <size>", "of that, only objects of at least this size, such as 1GiB")
      .option("--dry-run", "say what would leave, and leave it");
    for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const what = whatOf(flags, line.operands);
    const { stale: _, ...words } = flags;
    await using reached = await reachCache(
      { name: "evict", ...words, paths: line.operands },
      context,
    );
    const { paths, by } = reached;
    const request = {
      what: what.kind === "stale" ? what : { ...what, paths: [...paths] },
      dry_run: flags.dryRun,
    };
    using status = new StatusLine(context.stderr);
    status.show("Evicting …");
    const evicted = by.kind === "offline"
      ? await evictOffline(request, by.cache, context.signal)
      : await longCall(by.client, EVICT, request, doneOf, context);
    const result = flags.dryRun ? "would be evicted" : "evicted";
    status[Symbol.dispose]();
    printRecord({ ...evicted, result }, COLUMNS, format, context.stdout);
    return EXIT.done;
  },
};

function doneOf(record: z.output<typeof EVICT.answer>): EvictAnswer | null {
  return record.event === "done" ? record : null;
}

async function evictOffline(
  { what, dry_run: isDryRun }: EvictRequest,
  cache: OfflineCache,
  signal: AbortSignal,
): Promise<EvictAnswer> {
  const selector: CacheSelector = what.kind === "stale"
    ? {
      kind: "stale",
      olderThanMs: what.older_than_seconds * 1_000,
      minSizeBytes: what.min_size_bytes,
    }
    : { kind: "places", places: distinctPlaces(selectOffline(what.paths, cache)) };
  const { operations } = cache;
  return evictAnswer(
    isDryRun
      ? await operations.evictable(selector, signal)
      : await operations.evict(selector, signal),
  );
}

function whatOf(
  { stale, minSize }: z.output<typeof Flags>,
  paths: readonly string[],
): EvictRequest["what"] {
  if (stale === undefined && paths.length === 0) throw unclear("nothing is named");
  if (stale === undefined) {
    if (minSize !== undefined) throw unclear("--min-size goes with --stale");
    return { kind: "paths", paths: [...paths] };
  }
  if (paths.length > 0) throw unclear("it names paths and --stale");
  return {
    kind: "stale",
    older_than_seconds: ageMs(stale) / 1_000,
    min_size_bytes: minSize === undefined ? 0 : sizeBytes(minSize),
  };
}

function unclear(state: string): CommandError {
  return new CommandError(
    "usage",
    `Cannot tell what to evict: ${state}, wanted paths or --stale`,
    'Run "warpdrive ctl evict --help" for examples',
  );
}

function ageMs(written: string): number {
  if (/^\d+(\.\d+)?$/.test(written)) return Number(written) * DAY_MS;
  const ms = parseDurationMs(written);
  if (ms !== null) return ms;
  throw new CommandError(
    "usage",
    `Cannot read --stale "${written}": wanted days, or a time with its unit`,
    "Write --stale 30 for thirty days, or --stale 12h",
  );
}

function sizeBytes(written: string): number {
  const bytes = parseBytes(written);
  if (bytes !== null) return bytes;
  throw new CommandError(
    "usage",
    `Cannot read --min-size "${written}": wanted a size`,
    "Write --min-size 1GiB, or plain bytes",
  );
}
