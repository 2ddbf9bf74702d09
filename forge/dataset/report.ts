/** What the commands print of the shards they wrote or checked. */
import { formatBytes, formatDuration } from "../../cache/platform/units.ts";
import type { DataSetProblem, DataSetReport } from "./data_set_check.ts";
import type { WrittenDataSet } from "./write_shards.ts";

/** Names of left out images that are told one by one. */
const NAMES_MAX = 5;

/** What was written, for people. */
export function writtenLines(
  { shards, samples, sizeBytes, skipped }: WrittenDataSet,
  leftOut: readonly string[],
  wallMs: number,
): readonly string[] {
  const took = formatDuration(wallMs);
  const counts = `${counted(shards, "shard")}, ${counted(samples, "sample")}`;
  const lines = [`${counts}, ${formatBytes(sizeBytes)} in ${took}`];
  for (const left of leftOut) lines.push(`left out: ${left}`);
  if (skipped.length > 0) {
    const names = skipped.slice(0, NAMES_MAX).map((name) => JSON.stringify(name)).join(", ");
    const more = skipped.length > NAMES_MAX ? ", …" : "";
    lines.push(`left out: ${skipped.length} damaged: ${names}${more}`);
  }
  return lines;
}

/** What was written, for programs. */
export function writtenRecord(
  { shards, samples, sizeBytes, skipped }: WrittenDataSet,
  leftOut: readonly string[],
  wallMs: number,
): Readonly<Record<string, unknown>> {
  const record = { event: "done", shards, samples, bytes: sizeBytes, wall_ms: wallMs };
  return { ...record, left_out: leftOut, damaged: skipped };
}

/** Something that is wrong, for people. */
export function problemLine({ path, message }: DataSetProblem): string {
  return path === null ? message : `${path}: ${message}`;
}

/** Something that is wrong, for programs. */
export function problemRecord(
  { path, offsetBytes, message }: DataSetProblem,
): Readonly<Record<string, unknown>> {
  return { event: "problem", path, offset_bytes: offsetBytes, message };
}

/** What was found, for people. */
export function reportLine(
  { shards, samples, sizeBytes, labels, images, problems }: DataSetReport,
) {
  const parts = [counted(shards, "shard"), counted(samples, "sample"), formatBytes(sizeBytes)];
  const values = [...labels.keys()];
  if (values.length > 0) {
    parts.push(`labels ${range(least(values), greatest(values), " to ")}`);
  }
  if (images !== null) {
    const { widthMin, widthMax, heightMin, heightMax } = images;
    parts.push(`images ${range(widthMin, widthMax, "-")}x${range(heightMin, heightMax, "-")}`);
  }
  const count = problems === 0 ? "no problems" : counted(problems, "problem");
  return `${parts.join(", ")}: ${count}`;
}

/** What was found, for programs. */
export function reportRecord(report: DataSetReport): Readonly<Record<string, unknown>> {
  const { shards, samples, sizeBytes, labels, images, problems } = report;
  return {
    event: "done",
    shards,
    samples,
    bytes: sizeBytes,
    labels: Object.fromEntries(labels),
    images: images === null ? null : {
      width_min: images.widthMin,
      width_max: images.widthMax,
      height_min: images.heightMin,
      height_max: images.heightMax,
    },
    problems,
  };
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function range(from: number, to: number, between: string): string {
  return from === to ? String(from) : `${from}${between}${to}`;
}

// Spread into Math.min, labels of a large set could be more arguments than a call takes.
function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other));
}

function greatest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other));
}
