/** `warpdrive ctl verify`: rereads what is cached and compares it with its checksums. */
import { z } from "zod";
import type { CacheSelector } from "../../cache/operations/cache_selector.ts";
import { distinctPlaces } from "../../cache/operations/cached_places.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import {
  VERIFY,
  type VerifyAnswer,
  type VerifyProgressRecord,
  VerifyReport,
} from "../api_verify.ts";
import { MOUNT_FLAGS, MOUNT_OPTIONS } from "../connect.ts";
import { longCall } from "../long_call.ts";
import type { OfflineCache } from "../offline_cache.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRecord } from "../output/format.ts";
import { StatusLine } from "../../cache/platform/status_line.ts";
import { visible } from "../output/visible.ts";
import { reachCache, type ReachedCache, selectOffline } from "../reach_cache.ts";

const HELP = `
Examples:
  warpdrive ctl verify
  warpdrive ctl verify /mnt/data/imagenet/train
  warpdrive ctl verify --config /etc/warpdrive/config.yaml --format json
What is damaged is dropped and fetched again when it is read; nothing wrong is ever served.
Readers of the mount go on. With --config and no mount running, it works on the cache directory.
Exit code 1 when something was damaged.`;

const Flags = z.object({ ...MOUNT_FLAGS, format: z.string() });

/** What was found; a mount has its index checked when it is opened, and as it is read. */
interface Verification extends VerifyAnswer {
  readonly isIndexDamaged: boolean;
}

const COLUMNS: readonly Column<Verification>[] = [
  { key: "result", header: "RESULT", kind: "state", value: resultOf },
  { key: "objects", header: "OBJECTS", kind: "count", value: ({ objects }) => objects },
  { key: "bytes", header: "RIGHT BYTES", kind: "bytes", value: ({ bytes }) => bytes },
  {
    key: "damaged_objects",
    header: "DAMAGED OBJECTS",
    kind: "count",
    value: (row) => row.damaged_objects,
  },
  {
    key: "damaged_bytes",
    header: "DAMAGED BYTES",
    kind: "bytes",
    value: (row) => row.damaged_bytes,
  },
];

/** `warpdrive ctl verify`. */
export const verifyCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl verify", context)
      .description("Reread what is cached, and compare it with its checksums.")
      .argument("[path...]", "files and directories below the mount; all that is cached without");
    for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const { config, socket, format: written } = Flags.parse(line.options);
    const format = parseFormat(written);
    const words = { name: "verify", config, socket, paths: line.operands };
    await using reached = await reachCache(words, context);
    const verified = await verify(reached, context);
    printRecord(verified, COLUMNS, format, context.stdout);
    tell(verified, context);
    return resultOf(verified) === "right" ? EXIT.done : EXIT.failed;
  },
};

async function verify(
  { by, paths }: ReachedCache,
  context: CommandContext,
): Promise<Verification> {
  using status = new StatusLine(context.stderr);
  if (by.kind === "offline") return await verifyOffline(paths, by.cache, status, context.signal);
  const take = (record: z.output<typeof VERIFY.answer>) => {
    if (record.event === "done") return { ...record, isIndexDamaged: false };
    status.show(describe(record));
    return null;
  };
  return await longCall(by.client, VERIFY, { paths: [...paths] }, take, context);
}

async function verifyOffline(
  paths: readonly string[],
  cache: OfflineCache,
  status: StatusLine,
  signal: AbortSignal,
): Promise<Verification> {
  const { operations, tree } = cache;
  const isAll = paths.length === 0;
  const selector: CacheSelector = isAll
    ? { kind: "all" }
    : { kind: "places", places: distinctPlaces(selectOffline(paths, cache)) };
  if (isAll) {
    status.show("Reading the index …");
    await operations.checkIndex();
  }
  const indexDamages = cache.corruptions;
  const report = new VerifyReport(isAll ? await operations.totals() : null, tree);
  const observer = {
    damaged: report.damaged,
    progress: (found: Parameters<typeof report.progress>[0]) => {
      report.progress(found);
      status.show(describe(report.state));
    },
  };
  const verified = report.answer(await operations.verify(selector, observer, signal));
  return { ...verified, isIndexDamaged: indexDamages > 0 };
}

function resultOf({ state, damaged_objects: damaged, isIndexDamaged }: Verification): string {
  if (state === "disk_failed") return "disk failed";
  return damaged > 0 || isIndexDamaged ? "damaged" : "right";
}

function describe(progress: VerifyProgressRecord): string {
  const { objects, bytes, bytes_total: total, damaged_objects: damaged } = progress;
  const read = bytes + progress.damaged_bytes;
  const share = total === null || total === 0
    ? ""
    : ` of ${formatBytes(total)} (${Math.min(100, Math.floor(100 * read / total))}%)`;
  return `${objects} objects, ${formatBytes(read)}${share}, ${damaged} damaged`;
}

/** What is damaged, and what that means. */
function tell(verified: Verification, { stderr }: CommandContext): void {
  if (verified.isIndexDamaged) stderr.write("Damaged: the index, see above\n");
  for (const { path, bytes } of verified.damaged) {
    stderr.write(`Damaged: ${visible(path)} (${formatBytes(bytes)})\n`);
  }
  const unnamed = verified.damaged_objects - verified.damaged.length;
  if (unnamed > 0) stderr.write(`Damaged: ${unnamed} more, see the log\n`);
  if (resultOf(verified) === "damaged") {
    stderr.write(
      "Hint: It was dropped and is fetched again; where it happens again, replace the disk\n",
    );
  }
  if (verified.state === "disk_failed") {
    stderr.write(
      `Cannot verify the rest: the disk of the cache failed: ${verified.reason}\n` +
        'Hint: Look at it with "warpdrive ctl doctor"\n',
    );
  }
}
