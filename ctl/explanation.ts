/** The tables that `ctl explain` prints. */
import type { ExplainedVersion, Explanation } from "./api_explain.ts";
import type { Column } from "./output/column.ts";
import { recordSection, recordsSection, rowsSection, type Section } from "./output/section.ts";

const FILE_COLUMNS: readonly Column<Explanation>[] = [
  { key: "path", header: "PATH", kind: "text", value: ({ path }) => path },
  { key: "backend", header: "BACKEND", kind: "text", value: ({ backend }) => backend },
  { key: "key", header: "KEY", kind: "text", value: ({ key }) => key },
  { key: "kept", header: "KEPT", kind: "state", value: ({ kept }) => kept },
  {
    key: "opens_as",
    header: "OPENS AS",
    kind: "state",
    value: (row) => row.next_open?.mode ?? null,
  },
  {
    key: "opens_as_reason",
    header: "BECAUSE",
    kind: "text",
    value: (row) => row.next_open?.reason ?? null,
  },
  {
    key: "directory_listed",
    header: "DIRECTORY LISTED",
    kind: "time",
    value: ({ names }) => timeOf(names.directory_listed),
  },
];

const STORE_COLUMNS: readonly Column<Explanation>[] = [
  { key: "state", header: "STATE", kind: "state", value: ({ store }) => store.state },
  { key: "version", header: "VERSION", kind: "text", value: ({ store }) => store.version },
  { key: "size_bytes", header: "SIZE", kind: "bytes", value: ({ store }) => store.size_bytes },
  { key: "modified", header: "MODIFIED", kind: "time", value: (row) => timeOf(row.store.modified) },
  {
    key: "silent_since",
    header: "SILENT SINCE",
    kind: "time",
    value: ({ names }) => timeOf(names.silent_since),
  },
  {
    key: "reason",
    header: "REASON",
    kind: "text",
    value: ({ store, names }) => store.reason ?? names.silent_reason,
  },
];

const VERSION_COLUMNS: readonly Column<ExplainedVersion>[] = [
  { key: "version", header: "VERSION", kind: "text", value: ({ version }) => version },
  { key: "size_bytes", header: "SIZE", kind: "bytes", value: (row) => row.size_bytes },
  { key: "modified", header: "MODIFIED", kind: "time", value: (row) => timeOf(row.modified) },
  { key: "cached_bytes", header: "CACHED", kind: "bytes", value: (row) => row.cached_bytes },
  { key: "blocks", header: "BLOCKS", kind: "count", value: ({ blocks }) => blocks },
  {
    key: "blocks_present",
    header: "BLOCKS HERE",
    kind: "count",
    value: (row) => row.blocks_present,
  },
  { key: "chunks", header: "CHUNKS", kind: "count", value: ({ chunks }) => chunks },
  {
    key: "chunks_present",
    header: "CHUNKS HERE",
    kind: "count",
    value: (row) => row.chunks_present,
  },
  {
    key: "chunks_verified",
    header: "CHUNKS VERIFIED",
    kind: "count",
    value: (row) => row.chunks_verified,
  },
  {
    key: "last_access",
    header: "LAST ACCESS",
    kind: "time",
    value: (row) => timeOf(row.last_access),
  },
  { key: "uid", header: "BROUGHT BY", kind: "id", value: ({ uid }) => uid },
  { key: "pinned", header: "PINNED", kind: "state", value: (row) => row.pinned ? "yes" : "no" },
  { key: "opens", header: "READERS", kind: "count", value: ({ opens }) => opens },
  { key: "departure", header: "LEAVES", kind: "state", value: ({ departure }) => departure },
  { key: "worth", header: "WORTH", kind: "count", value: ({ worth }) => worth },
];

const OPEN_COLUMNS: readonly Column<Explanation["open"][number]>[] = [
  { key: "version", header: "VERSION", kind: "text", value: ({ version }) => version },
  { key: "mode", header: "MODE", kind: "state", value: ({ mode }) => mode },
  { key: "opens", header: "OPENS", kind: "count", value: ({ opens }) => opens },
];

const PLAN_COLUMNS: readonly Column<Explanation["plans"][number]>[] = [
  { key: "plan", header: "PLAN", kind: "text", value: ({ plan }) => plan },
  { key: "uid", header: "USER ID", kind: "id", value: ({ uid }) => uid },
  { key: "position", header: "POSITION", kind: "count", value: ({ position }) => position },
  { key: "next_read", header: "NEXT READ", kind: "count", value: (row) => row.next_read },
];

/** The tables; each version in the cache has one of its own. */
export function explanationSections(explanation: Explanation): readonly Section[] {
  const { versions, open, plans } = explanation;
  return [
    recordSection("file", "File", explanation, FILE_COLUMNS),
    recordSection("store", "Store", explanation, STORE_COLUMNS),
    recordsSection("cached", "Cached", versions, VERSION_COLUMNS),
    rowsSection("open", "Open", open, OPEN_COLUMNS),
    rowsSection("plans", "Plans", plans, PLAN_COLUMNS),
  ];
}

function timeOf(time: string | null): number | null {
  return time === null ? null : Date.parse(time);
}
