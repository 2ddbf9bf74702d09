/** What a soak writes down: a line of CSV now and then, a line of progress, a table at the end. */
import type { Findings } from "./load.ts";
import type { Metrics } from "./soaked_mount.ts";
import { growthOf, mib, type Outcome, type Sample } from "./verdict.ts";
import type { WeatherMaker } from "./weather.ts";

/** Columns taken from the metrics as they are. */
const METRIC_COLUMNS = [
  "warpdrive_cache_hit_total",
  "warpdrive_cache_miss_total",
  "warpdrive_cache_evictions_total",
  "warpdrive_cache_corruptions_total",
  "warpdrive_cache_bypassed",
  "warpdrive_cache_size_bytes",
  "warpdrive_readahead_hit_total",
  "warpdrive_readahead_wasted_total",
  'warpdrive_backend_bytes_read_total{backend="soak"}',
  'warpdrive_backend_degraded{backend="soak"}',
  "warpdrive_passthrough_opens_total",
  "warpdrive_fuse_nodes",
  "process_cpu_seconds_total",
];

/** The first line of the CSV. */
export function header(): string {
  const own = ["seconds", "weather", "rss", "fds", "in_flight", "buffers", "answer_ms", "read"];
  const names = METRIC_COLUMNS.map((name) => name.replace(/\{.*/, ""));
  return [...own, ...names].join(",") + "\n";
}

/** One line of the CSV. */
export function line(
  sample: Sample,
  metrics: Metrics,
  weather: WeatherMaker,
  findings: Findings,
): string {
  return [
    sample.seconds.toFixed(0),
    weather.current,
    sample.residentBytes,
    sample.descriptors,
    sample.requestsInFlight,
    sample.bufferBytes,
    sample.answerMs.toFixed(1),
    findings.bytes,
    ...METRIC_COLUMNS.map((name) => metrics.get(name) ?? ""),
  ].join(",") + "\n";
}

/** How it goes, for who watches. */
export function progress(sample: Sample, weather: WeatherMaker, findings: Findings): string {
  return `${sample.seconds.toFixed(0)} s, ${weather.current}: ${mib(findings.bytes)} read, ` +
    `rss ${mib(sample.residentBytes)}, ${sample.descriptors} descriptors, ` +
    `${findings.wrongBytes.length} wrong, ${findings.unexpectedErrors.length} unexpected\n`;
}

/** The table at the end. */
export function summary(outcome: Outcome, findings: Findings, weather: WeatherMaker): string {
  const { samples, before, after } = outcome;
  const most = (pick: (sample: Sample) => number) => Math.max(0, ...samples.map(pick));
  const { bytes, bytesMax } = growthOf(samples);
  const counts = (map: ReadonlyMap<string, number>) =>
    [...map].map(([what, count]) => `${what} ${count}`).join(", ");
  const rows: readonly (readonly [string, string])[] = [
    ["time", `${(samples.at(-1)?.seconds ?? 0).toFixed(0)} s`],
    ["read and compared", mib(findings.bytes)],
    ["operations and expected errors", counts(findings.counts)],
    ["weather", counts(weather.seen)],
    [
      "resident memory before, at most, after",
      [
        mib(before.residentBytes),
        mib(most((sample) => sample.residentBytes)),
        mib(after.residentBytes),
      ].join(", "),
    ],
    ["its growth after the warm-up", `${mib(bytes)} (at most ${mib(bytesMax)})`],
    [
      "descriptors before, at most, after",
      [
        before.descriptors,
        most((sample) => sample.descriptors),
        after.descriptors,
      ].join(", "),
    ],
    [
      "requests in flight at most, after",
      [
        most((sample) => sample.requestsInFlight),
        after.requestsInFlight,
      ].join(", "),
    ],
    [
      "buffers taken at most, after",
      [
        mib(most((sample) => sample.bufferBytes)),
        mib(after.bufferBytes),
      ].join(", "),
    ],
    ["longest answer of its event loop", `${most((sample) => sample.answerMs).toFixed(0)} ms`],
    ["wrong bytes", String(outcome.wrongBytes.length)],
    ["unexpected errors", String(outcome.unexpectedErrors.length)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}
