/** `warpdrive ctl usage`: who takes how much of the cache. */
import { z } from "zod";
import { cacheUsage, USAGE_KINDS, type UsageKind } from "../../cache/operations/cache_usage.ts";
import { shownPlace } from "../../cache/operations/cached_places.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { CommandError, EXIT } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { USAGE, type UsageAnswer, usageAnswer } from "../api_usage.ts";
import { ask } from "../connect.ts";
import { type IdleCache, placesIn } from "../idle_cache.ts";
import { LOOK_FLAGS, LOOK_OPTIONS, lookAtCache } from "../look_at_cache.ts";
import { parseCount } from "../parse_count.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRows } from "../output/format.ts";

const HELP = `
Examples:
  warpdrive ctl usage
  warpdrive ctl usage /mnt/data/imagenet --depth 2
  warpdrive ctl usage --by team --format csv
  warpdrive ctl usage --by user --config /etc/warpdrive/config.yaml
It tells what is cached on this machine. What the stores hold comes with a control plane.
With no mount running, --config or --cache reads the cache directory.`;

const DEPTH_MAX = 64;
/** What is in groups that are not told apart. */
const REST = "(rest)";

const Flags = z.object({ ...LOOK_FLAGS, by: z.string(), depth: z.string(), format: z.string() });

/** What one group takes. */
export interface UsageRow {
  readonly group: string | null;
  readonly backend: string | null;
  readonly objects: number;
  readonly bytes: number;
  readonly lastAccessMs: number | null;
  /** Whose bytes these are: those on this machine. */
  readonly scope: "cached";
}

/** The columns, in the order that stays. */
export const USAGE_COLUMNS: readonly Column<UsageRow>[] = [
  { key: "group", header: "GROUP", kind: "text", value: ({ group }) => group },
  { key: "backend", header: "BACKEND", kind: "text", value: ({ backend }) => backend },
  { key: "files", header: "FILES", kind: "count", value: ({ objects }) => objects },
  { key: "bytes", header: "BYTES", kind: "bytes", value: ({ bytes }) => bytes },
  { key: "last_access", header: "LAST ACCESS", kind: "time", value: (row) => row.lastAccessMs },
  { key: "scope", header: "SCOPE", kind: "state", value: ({ scope }) => scope },
];

/** `warpdrive ctl usage`. */
export const usageCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl usage", context)
      .description("Show who takes how much of the cache.")
      .argument("[path]", "a file or directory below the mount; without it, all of the cache")
      .option("--by <what>", "path, backend, team or user", "path")
      .option("--depth <n>", "directories below the path that are told apart, by path", "1");
    for (const [flag, meaning] of LOOK_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const by = parseKind(flags.by);
    const depth = parseCount("--depth", flags.depth, 0, DEPTH_MAX);
    const usage = await lookAtCache({ ...flags, path: line.operands[0] ?? null }, {
      mount: (client, path) =>
        ask(client, USAGE, path === null ? { by, depth } : { path, by, depth }, context),
      idle: (cache, path) => idleUsage(cache, path, by, depth, context),
    }, context);
    const { accounts } = Libc.open();
    printRows(
      usageRows(usage, (uid) => accounts.userName(uid)),
      USAGE_COLUMNS,
      format,
      context.stdout,
    );
    return EXIT.done;
  },
};

/** A row for each group; users by name where this machine knows them. */
export function usageRows(
  { by, scope, groups, rest }: UsageAnswer,
  userName: (uid: number) => string | null,
): readonly UsageRow[] {
  const rows = groups.map(({ group, backend, objects, bytes, last_access }): UsageRow => ({
    group: by === "user" && group !== null ? userName(Number(group)) ?? group : group,
    backend,
    objects,
    bytes,
    lastAccessMs: Date.parse(last_access),
    scope,
  }));
  if (rest.objects === 0) return rows;
  return [...rows, { group: REST, backend: null, ...rest, lastAccessMs: null, scope }];
}

async function idleUsage(
  cache: IdleCache,
  path: string | null,
  by: UsageKind,
  depth: number,
  { signal }: CommandContext,
): Promise<UsageAnswer> {
  const { index, teams, tree } = cache;
  const places = path === null ? null : placesIn(cache, path);
  const shown = (place: { backend: string; path: string }) =>
    shownPlace(place, tree ?? { mountPoint: "/", backends: [] });
  return usageAnswer(by, await cacheUsage(index, { places, by, depth }, { teams, shown }, signal));
}

function parseKind(written: string): UsageKind {
  const kind = USAGE_KINDS.find((known) => known === written);
  if (kind !== undefined) return kind;
  throw new CommandError(
    "usage",
    `Cannot add up by "${written}": wanted path, backend, team or user`,
    "Run it again with --by path",
  );
}
