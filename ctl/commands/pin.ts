/** `warpdrive ctl pin` and `warpdrive ctl unpin`: what stays in the cache, whatever comes. */
import { z } from "zod";
import { distinctPlaces } from "../../cache/operations/cached_places.ts";
import { pinPaths } from "../../cache/operations/pin_paths.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { PIN, type PinAnswer, pinAnswer, UNPIN, type UnpinAnswer } from "../api_pin.ts";
import { MOUNT_FLAGS, MOUNT_OPTIONS } from "../connect.ts";
import { longCall } from "../long_call.ts";
import type { Column } from "../output/column.ts";
import { type Format, FORMAT_OPTION, parseFormat, printRecord } from "../output/format.ts";
import { visible } from "../output/visible.ts";
import { reachCache, type ReachedCache, selectOffline } from "../reach_cache.ts";

const PIN_HELP = `
Examples:
  warpdrive ctl warm /mnt/data/imagenet/val && warpdrive ctl pin /mnt/data/imagenet/val
  warpdrive ctl pin /mnt/data/models/base.safetensors
Pins what is cached now, over restarts and whatever the cache is asked to hold, until it is
unpinned. At most nine tenths of the cache can be pinned.
Exit code 1 where something could not be pinned: nothing of it is cached, or there is no room.`;

const UNPIN_HELP = `
Examples:
  warpdrive ctl unpin /mnt/data/imagenet/val
What is not pinned stays as it is.`;

const Flags = z.object({ ...MOUNT_FLAGS, format: z.string() });

const PIN_COLUMNS: readonly Column<PinAnswer>[] = [
  { key: "objects", header: "PINNED", kind: "count", value: ({ objects }) => objects },
  { key: "bytes", header: "BYTES", kind: "bytes", value: ({ bytes }) => bytes },
  { key: "incomplete", header: "INCOMPLETE", kind: "count", value: ({ incomplete }) => incomplete },
  { key: "refused", header: "REFUSED", kind: "count", value: ({ refused }) => refused },
  { key: "pinned_bytes", header: "PINNED IN ALL", kind: "bytes", value: (row) => row.pinned_bytes },
];

const UNPIN_COLUMNS: readonly Column<UnpinAnswer>[] = [
  { key: "objects", header: "UNPINNED", kind: "count", value: ({ objects }) => objects },
  { key: "pinned_bytes", header: "PINNED IN ALL", kind: "bytes", value: (row) => row.pinned_bytes },
];

/** `warpdrive ctl pin`. */
export const pinCommand: Command = {
  async run(args, context) {
    const line = parsePaths(
      "pin",
      "Keep data in the cache until it is unpinned.",
      PIN_HELP,
      args,
      context,
    );
    if (line === null) return EXIT.done;
    await using reached = await reachCache({ name: "pin", ...line }, context);
    const pinned = await pin(reached, context);
    printRecord(pinned, PIN_COLUMNS, line.format, context.stdout);
    tell(pinned, context);
    return pinned.refused === 0 && pinned.absent.length === 0 ? EXIT.done : EXIT.failed;
  },
};

/** `warpdrive ctl unpin`. */
export const unpinCommand: Command = {
  async run(args, context) {
    const line = parsePaths("unpin", "Let data leave the cache again.", UNPIN_HELP, args, context);
    if (line === null) return EXIT.done;
    await using reached = await reachCache({ name: "unpin", ...line }, context);
    const unpinned = await unpin(reached, context);
    printRecord(unpinned, UNPIN_COLUMNS, line.format, context.stdout);
    return EXIT.done;
  },
};

interface PathsLine {
  readonly config?: string | undefined;
  readonly socket?: string | undefined;
  readonly paths: readonly string[];
  readonly format: Format;
}

/** Null when it asked for help. */
function parsePaths(
  name: string,
  description: string,
  help: string,
  args: readonly string[],
  context: CommandContext,
): PathsLine | null {
  const parser = createParser(`ctl ${name}`, context)
    .description(description)
    .argument("<path...>", "files and directories below the mount");
  for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
  parser.option(...FORMAT_OPTION).addHelpText("after", help);
  const line = parseArguments(parser, args);
  if (line.kind === "help") return null;
  const { config, socket, format } = Flags.parse(line.options);
  return { config, socket, paths: line.operands, format: parseFormat(format) };
}

async function pin({ by, paths }: ReachedCache, context: CommandContext): Promise<PinAnswer> {
  if (by.kind === "mount") {
    const done = (record: z.output<typeof PIN.answer>) => record.event === "done" ? record : null;
    return await longCall(by.client, PIN, { paths: [...paths] }, done, context);
  }
  const { operations } = by.cache;
  const pinned = await pinPaths(operations, selectOffline(paths, by.cache), context.signal);
  return pinAnswer(pinned, operations.pinnedBytes);
}

async function unpin({ by, paths }: ReachedCache, context: CommandContext): Promise<UnpinAnswer> {
  if (by.kind === "mount") {
    const done = (record: z.output<typeof UNPIN.answer>) => record.event === "done" ? record : null;
    return await longCall(by.client, UNPIN, { paths: [...paths] }, done, context);
  }
  const { operations } = by.cache;
  const places = distinctPlaces(selectOffline(paths, by.cache));
  const objects = await operations.unpin({ kind: "places", places }, context.signal);
  return { objects, pinned_bytes: operations.pinnedBytes };
}

/** What was not done, and what to do about it. */
function tell({ absent, refused, incomplete }: PinAnswer, { stderr }: CommandContext): void {
  for (const path of absent) {
    stderr.write(`Cannot pin "${visible(path)}": nothing of it is cached\n`);
  }
  if (absent.length > 0) stderr.write('Hint: Bring it in with "warpdrive ctl warm" first\n');
  if (refused > 0) {
    stderr.write(
      `Cannot pin ${refused} objects: nine tenths of the cache would be pinned\n` +
        'Hint: End other pins with "warpdrive ctl unpin", or raise cache.max_size\n',
    );
  }
  if (incomplete > 0) {
    stderr.write(
      `Of ${incomplete} pinned objects something is missing\n` +
        'Hint: Bring in the rest with "warpdrive ctl warm"\n',
    );
  }
}
