/** What a benchmark prints, for people and for programs. */
import type { LatencyHistogram } from "./latency_histogram.ts";
import type { Verdict } from "./manifest.ts";
import type { Measurement } from "./measurement.ts";
import type { BenchSettings } from "./settings.ts";

/** Upper ends of the bars of the chart, in milliseconds. */
const BARS_MS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const BAR_COLUMNS = 40;

/** A measurement with what was checked beside it. */
export interface BenchResult {
  readonly settings: BenchSettings;
  readonly files: number;
  readonly measurement: Measurement;
  /** Bytes stores delivered meanwhile; null when nobody asked. */
  readonly backendBytes: number | null;
  /** Null when nobody asked. */
  readonly verdict: Verdict | null;
}

/** The result as lines of text. */
export function benchReport(result: BenchResult): string[] {
  const { settings, files, measurement, backendBytes, verdict } = result;
  const { bytes, seconds, latencies, baseline } = measurement;
  const { total } = latencies;
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => latencies.quantileMs(share).toFixed(3));
  return [
    `Directory:   ${settings.dir} (${files} files, ${settings.pattern})`,
    `Readers:     ${settings.readers}`,
    `Duration:    ${seconds.toFixed(1)} s`,
    `Throughput:  ${(bytes / seconds / 1e9).toFixed(2)} GB/s`,
    `Operations:  ${total}`,
    `Ops/s:       ${(total / seconds).toFixed(1)}`,
    `Avg latency: ${latencies.meanMs.toFixed(3)} ms`,
    `p50/p95/p99: ${p50} / ${p95} / ${p99} ms`,
    ...(baseline === null ? [] : [
      `Baseline:    ${(baseline.bytesPerSecond / 1e9).toFixed(2)} GB/s from ${settings.baseline}`,
      `Ratio:       ${baseline.ratio.toFixed(2)} (rounds ${shown(baseline.ratios)})`,
    ]),
    ...(backendBytes === null ? [] : [`From stores: ${backendBytes} bytes`]),
    ...(verdict === null ? [] : [`Checksums:   ${verdictText(verdict)}`]),
    "",
    ...latencyChart(latencies),
  ];
}

/** The result for programs: bytes, seconds and milliseconds. */
export function benchRecord(result: BenchResult): Readonly<Record<string, unknown>> {
  const { settings, files, measurement, backendBytes, verdict } = result;
  const { bytes, seconds, latencies, baseline } = measurement;
  return {
    dir: settings.dir,
    files,
    pattern: settings.pattern,
    readers: settings.readers,
    chunk_bytes: settings.chunk,
    direct: settings.direct,
    seed: settings.seed,
    seconds,
    bytes,
    bytes_per_second: bytes / seconds,
    operations: latencies.total,
    operations_per_second: latencies.total / seconds,
    latency_ms: {
      mean: latencies.meanMs,
      p50: latencies.quantileMs(0.5),
      p95: latencies.quantileMs(0.95),
      p99: latencies.quantileMs(0.99),
      max: latencies.quantileMs(1),
    },
    baseline: baseline === null ? null : {
      dir: settings.baseline,
      bytes_per_second: baseline.bytesPerSecond,
      ratio: baseline.ratio,
      ratios: baseline.ratios,
    },
    backend_bytes: backendBytes,
    checksums: verdict,
  };
}

function latencyChart(latencies: LatencyHistogram): string[] {
  const bars = [...BARS_MS, Infinity].map((toMs, index) => {
    const count = latencies.between(BARS_MS[index - 1] ?? 0, toMs);
    return { label: toMs === Infinity ? ">1000 ms" : `<=${toMs} ms`, count };
  });
  const first = bars.findIndex(({ count }) => count > 0);
  const last = bars.findLastIndex(({ count }) => count > 0);
  const largest = Math.max(...bars.map(({ count }) => count));
  return bars.slice(Math.max(first, 0), last + 1).map(({ label, count }) => {
    const bar = "#".repeat(Math.ceil(count / largest * BAR_COLUMNS)).padEnd(BAR_COLUMNS);
    return `${label.padStart(10)} |${bar}| ${count}`;
  });
}

function verdictText({ matched, different, unknown }: Verdict): string {
  const parts = [`${matched} files match`];
  if (different.length > 0) parts.push(`${different.length} differ: ${different.join(", ")}`);
  if (unknown > 0) parts.push(`${unknown} have no checksum`);
  return parts.join(", ");
}

function shown(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(2)).join(" ");
}
