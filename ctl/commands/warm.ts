/** `warpdrive ctl warm`: brings data into the cache of a running mount before they are read. */
import { z } from "zod";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { CommandError, EXIT, type ExitCode, hintOf } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { formatBytes, parseBytes } from "../../cache/platform/units.ts";
import { STATUS } from "../api_status.ts";
import {
  WARM_CANCEL,
  WARM_LIST,
  WARM_WORKERS_DEFAULT,
  WARM_WORKERS_MAX,
  type WarmFailure,
  type WarmRecord,
  type WarmStatus,
} from "../api_warm.ts";
import type { ControlClient } from "../client.ts";
import {
  ask,
  connectMount,
  isNoMount,
  MOUNT_FLAGS,
  MOUNT_OPTIONS,
  realPath,
  whereabouts,
} from "../connect.ts";
import { FORMAT_OPTION, parseFormat, printRows } from "../output/format.ts";
import { visibleJson } from "../output/visible.ts";
import { followJob, type WarmOptions } from "../warm/follow.ts";
import { mountPointAbove } from "../mount_point_above.ts";
import { listedPaths, MountPaths } from "../warm/paths.ts";
import { WarmProgress } from "../warm/progress.ts";
import { failureLines, JOB_COLUMNS, leftText, reportOf } from "../warm/report.ts";

const HELP = `
Examples:
  warpdrive ctl warm /mnt/data/imagenet/train
  warpdrive ctl warm --max-size 500GB --workers 64 '/mnt/data/laion/shard-00*.tar'
  warpdrive ctl warm -f shards.txt --detach
  warpdrive ctl warm --check /mnt/data/imagenet/train
  warpdrive ctl warm --list
  warpdrive ctl warm --cancel 3

What is cached is not fetched again, so a job that was stopped goes on when it is run again.
Exit codes: 0 everything is cached, or --max-size is reached; 1 failed, what failed is named;
2 wrong usage; 3 --check: not everything is cached; 130 interrupted.`;

const WarmFlags = z.object({
  ...MOUNT_FLAGS,
  filesFrom: z.string().optional(),
  recursive: z.boolean(),
  maxSize: z.string(),
  workers: z.string(),
  json: z.boolean().default(false),
  detach: z.boolean().default(false),
  check: z.boolean().default(false),
  list: z.boolean().default(false),
  cancel: z.string().optional(),
  format: z.string(),
});
type WarmFlags = z.infer<typeof WarmFlags>;

/** `warpdrive ctl warm`. */
export const warmCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl warm", context)
      .description("Bring data into the cache of a running mount before they are read.")
      .argument("[path...]", "files, directories or quoted patterns below a mount")
      .option("-f, --files-from <list>", 'file with one path per line; "-": standard input')
      .option("-r, --recursive", "directories with all below them", true)
      .option("--no-recursive", "of directories only the files directly in them")
      .option("--max-size <size>", "stop after so many new bytes; 0: no limit", "0")
      .option("--workers <number>", "files at once", String(WARM_WORKERS_DEFAULT))
      .option("--resume", "go on where a job was stopped: it always does")
      .option("--check", "only say how much is cached")
      .option("--json", "say everything as it happens, one JSON object per line")
      .option("--detach", "return at once; the job goes on in the mount")
      .option("--list", "show jobs, running and ended")
      .option("--cancel <job>", "end a job")
      .option(...FORMAT_OPTION);
    for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
    parser.addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = WarmFlags.parse(line.options);
    refuseContradictions(flags, line.operands);
    if (flags.list) return await listJobs(flags, line.operands, context);
    if (flags.cancel !== undefined) return await cancelJob(flags.cancel, flags, line, context);
    return await warm(flags, line.operands, context);
  },
};

async function warm(
  flags: WarmFlags,
  operands: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const options = optionsOf(flags);
  const { filesFrom } = flags;
  const named = filesFrom === undefined
    ? ReadableStream.from(operands).values()
    : listedPaths(filesFrom, context.signal);
  const { value: first } = await named.next();
  if (first === undefined) {
    throw new CommandError(
      "usage",
      filesFrom === undefined
        ? "Cannot warm: no path is given"
        : `Cannot warm: "${filesFrom}" is empty`,
      'Give paths below a mount; "warpdrive ctl warm --help" has examples',
    );
  }
  const { client, mountPoint } = await connect(flags, first, context);
  const deps = { libc: Libc.open(), clock: context.clock };
  const below = new MountPaths(client.socket, mountPoint, deps);
  const paths = (async function* () {
    yield await below.below(first);
    for await (const path of named) yield await below.below(path);
  })();
  return await follow(client, paths, options, flags.json, context);
}

/** Does a job and tells of it. */
async function follow(
  client: ControlClient,
  paths: AsyncIterable<string>,
  options: WarmOptions,
  json: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  const { stdout, stderr, clock } = context;
  const failures: WarmFailure[] = [];
  let last: WarmStatus | null = null;
  let ended: WarmStatus;
  try {
    using progress = new WarmProgress(stderr, clock, () => Deno.consoleSize().columns);
    ended = await followJob(client, paths, options, (record) => {
      if (json) stdout.write(jsonLine(record));
      if (record.event === "failed") failures.push(record);
      else last = record;
      if (!json && record.event === "progress") progress.show(record);
    }, context);
  } catch (error) {
    if (context.signal.aborted) stderr.write(leftText(last));
    throw error;
  }
  if (options.detach === true) {
    if (!json) stdout.write(detachedText(ended));
    return EXIT.done;
  }
  const { text, outcome } = reportOf(ended);
  stderr.write(failureLines(failures, ended.files_failed));
  if (!json) stdout.write(text);
  if (outcome.kind === "error") throw outcome.error;
  return outcome.code;
}

async function listJobs(
  flags: WarmFlags,
  operands: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const format = parseFormat(flags.format);
  const { client } = await connect(flags, operands[0], context);
  const { jobs } = await ask(client, WARM_LIST, {}, context);
  printRows(jobs, JOB_COLUMNS, format, context.stdout);
  return EXIT.done;
}

async function cancelJob(
  job: string,
  flags: WarmFlags,
  { operands }: { readonly operands: readonly string[] },
  context: CommandContext,
): Promise<ExitCode> {
  const { client } = await connect(flags, operands[0], context);
  const status = await ask(client, WARM_CANCEL, { job }, context);
  const { files_done, files_total, bytes_done } = status;
  const done = `${files_done} of ${files_total} files, ${formatBytes(bytes_done)}, are cached`;
  context.stdout.write(`Cancelled job ${job}: ${done}\n`);
  return EXIT.done;
}

/** The mount of `path`, or the one that flags name. */
async function connect(
  flags: WarmFlags,
  path: string | undefined,
  context: CommandContext,
): Promise<{ readonly client: ControlClient; readonly mountPoint: string }> {
  try {
    const real = path === undefined
      ? null
      : await mountPointAbove(path) ?? await realPath(path, context.clock);
    const client = await connectMount(whereabouts(flags, real), context);
    // Whether anybody is there shows at the first call only.
    const { mount } = await ask(client, STATUS, {}, context);
    return { client, mountPoint: mount.mount_point };
  } catch (error) {
    if (!isNoMount(error)) throw error;
    throw new CommandError(
      "failed",
      "Cannot warm without a running mount",
      hintOf(error),
      { cause: error },
    );
  }
}

function optionsOf(flags: WarmFlags): WarmOptions {
  const { maxSize, workers, check, detach, recursive, filesFrom } = flags;
  const bytes = parseBytes(maxSize);
  if (bytes === null) {
    throw new CommandError(
      "usage",
      `Cannot warm with --max-size "${maxSize}": wanted a size such as "500GB", or 0`,
      "0 is no limit",
    );
  }
  const count = Number(workers);
  if (!Number.isInteger(count) || count < 1 || count > WARM_WORKERS_MAX) {
    throw new CommandError(
      "usage",
      `Cannot warm with --workers "${workers}": wanted a number from 1 to ${WARM_WORKERS_MAX}`,
      `${WARM_WORKERS_DEFAULT} suit most stores`,
    );
  }
  return {
    mode: check ? "check" : "warm",
    // Who writes a list means the names in it.
    globs: filesFrom === undefined,
    recursive,
    max_bytes: bytes,
    workers: count,
    detach,
  };
}

function refuseContradictions(flags: WarmFlags, operands: readonly string[]): void {
  const given = [
    ...(flags.list ? ["--list"] : []),
    ...(flags.cancel === undefined ? [] : ["--cancel"]),
    ...(flags.check ? ["--check"] : []),
    ...(flags.detach ? ["--detach"] : []),
  ];
  const paths = [
    ...(operands.length > 0 ? ["paths"] : []),
    ...(flags.filesFrom === undefined ? [] : ["--files-from"]),
  ];
  for (const both of [given, paths]) {
    if (both.length < 2) continue;
    throw new CommandError(
      "usage",
      `Cannot warm with ${both.join(" and ")}: wanted one of them`,
      'Run "warpdrive ctl warm --help" for examples',
    );
  }
}

function jsonLine(record: WarmRecord): string {
  return `${visibleJson(JSON.stringify(record))}\n`;
}

function detachedText({ job }: WarmStatus): string {
  return `Job ${job} goes on in the mount: "warpdrive ctl warm --list" shows it, ` +
    `"warpdrive ctl warm --cancel ${job}" ends it\n`;
}
