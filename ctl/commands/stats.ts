/** `warpdrive ctl stats`: what the cache holds and did, by backend. */
import { z } from "zod";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { type Counts, STATS, type Stats, statsAnswer, sumOfCounts } from "../api_stats.ts";
import { ask } from "../connect.ts";
import { LOOK_FLAGS, LOOK_OPTIONS, lookAtCache } from "../look_at_cache.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRows } from "../output/format.ts";

const HELP = `
Examples:
  warpdrive ctl stats
  warpdrive ctl stats /mnt/data --format csv
  warpdrive ctl stats --config /etc/warpdrive/config.yaml
Counts are since the mount was started (start) and since the cache was made (all). With no mount
running, --config or --cache reads the cache directory, and knows the latter alone.`;

const Flags = z.object({ ...LOOK_FLAGS, format: z.string() });

/** All backends together; no backend can be called so. */
const ALL = "(all)";

/** What one backend did in one period. */
export interface StatsRow {
  readonly period: "start" | "all";
  readonly backend: string;
  readonly objects: number;
  readonly cachedBytes: number;
  readonly counts: Counts;
}

/** The columns, in the order that stays. */
export const STATS_COLUMNS: readonly Column<StatsRow>[] = [
  { key: "period", header: "PERIOD", kind: "state", value: ({ period }) => period },
  { key: "backend", header: "BACKEND", kind: "text", value: ({ backend }) => backend },
  { key: "entries", header: "ENTRIES", kind: "count", value: ({ objects }) => objects },
  { key: "cached_bytes", header: "BYTES", kind: "bytes", value: ({ cachedBytes }) => cachedBytes },
  { key: "hits", header: "HITS", kind: "count", value: ({ counts }) => counts.hits },
  { key: "misses", header: "MISSES", kind: "count", value: ({ counts }) => counts.misses },
  { key: "hit_percent", header: "HIT RATE", kind: "percent", value: hitPercent },
  {
    key: "evicted_blocks",
    header: "EVICTIONS",
    kind: "count",
    value: ({ counts }) => counts.evicted_blocks,
  },
  {
    key: "readahead_hit_blocks",
    header: "AHEAD",
    kind: "count",
    value: ({ counts }) => counts.readahead_hit_blocks,
  },
  {
    key: "readahead_wasted_blocks",
    header: "WASTED",
    kind: "count",
    value: ({ counts }) => counts.readahead_wasted_blocks,
  },
  { key: "corruptions", header: "CORRUPT", kind: "count", value: (row) => row.counts.corruptions },
  {
    key: "fetched_bytes",
    header: "FETCHED",
    kind: "bytes",
    value: (row) => row.counts.fetched_bytes,
  },
];

/** `warpdrive ctl stats`. */
export const statsCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl stats", context)
      .description("Show what the cache holds and what it did, by backend.")
      .argument("[path]", "anything below the mount");
    for (const [flag, meaning] of LOOK_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const stats = await lookAtCache({ ...flags, path: line.operands[0] ?? null }, {
      mount: (client) => ask(client, STATS, {}, context),
      idle: async ({ index }) =>
        statsAnswer({
          usage: await index.usage(),
          counts: await index.counts(),
          atStart: null,
        }),
    }, context);
    printRows(statsRows(stats), STATS_COLUMNS, format, context.stdout);
    return EXIT.done;
  },
};

/** A row for each backend and for all of them, for each period that is known. */
export function statsRows({ backends }: Stats): readonly StatsRow[] {
  const rowsOf = (
    period: StatsRow["period"],
    counted: (stats: Stats["backends"][number]) => Counts,
  ) => {
    const rows = backends.map((stats): StatsRow => ({
      period,
      backend: stats.backend,
      objects: stats.objects,
      cachedBytes: stats.cached_bytes,
      counts: counted(stats),
    }));
    return [...rows, {
      period,
      backend: ALL,
      objects: rows.reduce((sum, { objects }) => sum + objects, 0),
      cachedBytes: rows.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0),
      counts: sumOfCounts(rows.map(({ counts }) => counts)),
    }];
  };
  const isMounted = backends.every(({ since_start: counts }) => counts !== null);
  return [
    ...(isMounted ? rowsOf("start", (stats) => stats.since_start ?? sumOfCounts([])) : []),
    ...rowsOf("all", (stats) => stats.in_all),
  ];
}

function hitPercent({ counts: { hits, misses } }: StatsRow): number | null {
  return hits + misses === 0 ? null : 100 * hits / (hits + misses);
}
