/** `warpdrive ctl status`: what a mount is, and how each part of it does. */
import { z } from "zod";
import { type Command, createParser, parseArguments } from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { STATUS, type Status } from "../api_status.ts";
import {
  ask,
  connectMount,
  MOUNT_FLAGS,
  MOUNT_OPTIONS,
  realPath,
  whereabouts,
} from "../connect.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printReport } from "../output/format.ts";
import { recordSection, rowsSection, type Section } from "../output/section.ts";

const HELP = `
Examples:
  warpdrive ctl status
  warpdrive ctl status /mnt/data
  warpdrive ctl status --config /etc/warpdrive/config.yaml --format json
Exit code 0 when the mount answers, however its parts do; otherwise 1.`;

const Flags = z.object({ ...MOUNT_FLAGS, format: z.string() });

type Mount = Status["mount"];
type Kernel = Status["kernel"];
type Cache = NonNullable<Status["cache"]>;
type Backend = Status["backends"][number];

const MOUNT_COLUMNS: readonly Column<Mount>[] = [
  { key: "mount_point", header: "MOUNT POINT", kind: "text", value: (row) => row.mount_point },
  { key: "pid", header: "PROCESS", kind: "id", value: ({ pid }) => pid },
  { key: "uid", header: "USER ID", kind: "id", value: ({ uid }) => uid },
  { key: "version", header: "VERSION", kind: "text", value: ({ version }) => version },
  { key: "commit", header: "COMMIT", kind: "text", value: ({ commit }) => commit },
  { key: "started", header: "STARTED", kind: "time", value: (row) => Date.parse(row.started) },
  {
    key: "uptime_ms",
    header: "UPTIME",
    kind: "duration",
    value: (row) => row.uptime_seconds * 1_000,
  },
  { key: "nodes", header: "INODES", kind: "count", value: ({ nodes }) => nodes },
  { key: "open_files", header: "OPEN FILES", kind: "count", value: (row) => row.open_files },
  { key: "plans", header: "PLANS", kind: "count", value: ({ plans }) => plans },
  { key: "warm_jobs", header: "WARM JOBS", kind: "count", value: (row) => row.warm_jobs },
];

const KERNEL_COLUMNS: readonly Column<Kernel>[] = [
  { key: "release", header: "RELEASE", kind: "text", value: ({ release }) => release },
  { key: "protocol", header: "FUSE PROTOCOL", kind: "text", value: ({ protocol }) => protocol },
  {
    key: "passthrough",
    header: "PASSTHROUGH",
    kind: "state",
    value: ({ passthrough }) => yesOrNo(passthrough),
  },
  { key: "prune", header: "PRUNE", kind: "state", value: ({ prune }) => yesOrNo(prune) },
];

const CACHE_COLUMNS: readonly Column<Cache>[] = [
  { key: "path", header: "PATH", kind: "text", value: ({ path }) => path },
  { key: "policy", header: "POLICY", kind: "text", value: ({ policy }) => policy },
  { key: "state", header: "STATE", kind: "state", value: ({ state }) => state },
  { key: "reason", header: "REASON", kind: "text", value: ({ reason }) => reason },
  { key: "since", header: "SINCE", kind: "time", value: ({ since }) => timeOf(since) },
  { key: "used_bytes", header: "USED", kind: "bytes", value: (row) => row.used_bytes },
  { key: "size_bytes_max", header: "LIMIT", kind: "bytes", value: (row) => row.size_bytes_max },
  {
    key: "fill_percent",
    header: "FILL",
    kind: "percent",
    value: (row) => 100 * row.used_bytes / Math.max(1, row.size_bytes_max),
  },
  { key: "pinned_bytes", header: "PINNED", kind: "bytes", value: (row) => row.pinned_bytes },
  { key: "entries", header: "ENTRIES", kind: "count", value: ({ objects }) => objects },
];

const BACKEND_COLUMNS: readonly Column<Backend>[] = [
  { key: "name", header: "NAME", kind: "text", value: ({ name }) => name },
  { key: "type", header: "TYPE", kind: "text", value: ({ type }) => type },
  { key: "mount_path", header: "MOUNT PATH", kind: "text", value: (row) => row.mount_path },
  { key: "state", header: "STATE", kind: "state", value: ({ state }) => state },
  { key: "latency_ms", header: "LATENCY", kind: "duration", value: (row) => row.latency_ms },
  { key: "names_from", header: "NAMES", kind: "state", value: (row) => row.names_from },
  {
    key: "since",
    header: "SINCE",
    kind: "time",
    value: (row) => timeOf(row.since ?? row.silent_since),
  },
  {
    key: "credential_expires",
    header: "CREDENTIAL ENDS",
    kind: "time",
    value: (row) => timeOf(row.credential_expires),
  },
  {
    key: "reason",
    header: "REASON",
    kind: "text",
    value: (row) => row.reason ?? row.silent_reason,
  },
];

/** `warpdrive ctl status`. */
export const statusCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl status", context)
      .description("Show what a mount is, and how each part of it does.")
      .argument("[path]", "anything below the mount");
    for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const [operand] = line.operands;
    const path = operand === undefined ? null : await realPath(operand, context.clock);
    const client = await connectMount(whereabouts(flags, path), context);
    const status = await ask(client, STATUS, {}, context);
    printReport(statusSections(status), format, context.stdout);
    return EXIT.done;
  },
};

/** The tables of the report. */
export function statusSections({ mount, kernel, cache, backends }: Status): readonly Section[] {
  return [
    recordSection("mount", "Mount", mount, MOUNT_COLUMNS),
    recordSection("kernel", "Kernel", kernel, KERNEL_COLUMNS),
    recordSection("cache", "Cache", cache, CACHE_COLUMNS),
    rowsSection("backends", "Backends", backends, BACKEND_COLUMNS),
  ];
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
