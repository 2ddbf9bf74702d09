/** The metrics of a mount as tables and bars for a person. */
import { bytesText, countText, percentText, secondsText } from "./figures.ts";
import { countersOf } from "./counters.ts";
import type { RegionPlan } from "./region.ts";
import { type Sample, total, totalsBy } from "./samples.ts";

const FUSE_TOTAL = "warpdrive_fuse_operations_total";
const FUSE_SECONDS = "warpdrive_fuse_operation_duration_seconds";
const BACKEND_SECONDS = "warpdrive_backend_request_duration_seconds";

/** Upper bounds of the bars, in seconds; each is a bound of the histogram. */
const BARS: readonly (readonly [title: string, upTo: string])[] = [
  ["<= 100 us", "0.0001"],
  ["<= 500 us", "0.0005"],
  ["<= 1 ms", "0.001"],
  ["<= 5 ms", "0.005"],
  ["<= 50 ms", "0.05"],
  ["> 50 ms", "+Inf"],
];
const BAR_COLUMNS = 48;

/** Requests of the kernel that WarpDrive answered. */
export function kernelLine(samples: readonly Sample[]): string {
  const count = (operation: string) => countText(total(samples, FUSE_TOTAL, { operation }));
  return `read ${count("read")}   lookup ${count("lookup")}   readdir ${
    countText(
      total(samples, FUSE_TOTAL, { operation: "readdir" }) +
        total(samples, FUSE_TOTAL, { operation: "readdirplus" }),
    )
  }   open ${count("open")}`;
}

/** How long reads took, as a bar for each span, and their mean. */
export function latencyBars(samples: readonly Sample[]): string[] {
  const upTo = (le: string) => total(samples, `${FUSE_SECONDS}_bucket`, { operation: "read", le });
  const counts = BARS.map(([, le], index) => upTo(le) - upTo(BARS[index - 1]?.[1] ?? ""));
  const most = Math.max(...counts, 1);
  const widest = Math.max(...counts.map((count) => countText(count).length));
  const lines = BARS.map(([title], index) => {
    const count = counts[index] ?? 0;
    // Whatever there is shows, however little it is.
    const columns = count === 0 ? 0 : Math.max(1, Math.round(BAR_COLUMNS * count / most));
    return `${title.padEnd(9)}  ${countText(count).padStart(widest)}  ${"█".repeat(columns)}`;
  });
  return [...lines, `Mean       ${mean(samples, FUSE_SECONDS, { operation: "read" })}`];
}

/** The cache, as `name value` pairs. */
export function cacheRows(samples: readonly Sample[]): string[][] {
  const value = (name: string) => countText(total(samples, `warpdrive_${name}`));
  const used = bytesText(total(samples, "warpdrive_cache_size_bytes"));
  const share = 100 * total(samples, "warpdrive_cache_utilization_ratio");
  return [
    ["Hits / misses", `${value("cache_hit_total")} / ${value("cache_miss_total")}`],
    ["Hit rate", percentText(countersOf(samples, []))],
    ["Evictions", value("cache_evictions_total")],
    ["Damaged chunks found", value("cache_corruptions_total")],
    ["Used on disk", `${used} (${share.toFixed(1)} % of the limit)`],
    [
      "Read ahead: used / wasted",
      `${value("readahead_hit_total")} / ${value("readahead_wasted_total")} blocks`,
    ],
    [
      "Opens passed through",
      `${value("passthrough_opens_total")} (${
        bytesText(total(samples, "warpdrive_passthrough_bytes_total"))
      } of files that the kernel reads by itself)`,
    ],
    [
      "Credential refreshes",
      `${countText(total(samples, "warpdrive_auth_refresh_total", { status: "success" }))} (${
        countText(total(samples, "warpdrive_auth_refresh_total", { status: "failure" }))
      } failed)`,
    ],
  ];
}

/** Requests to the regions: how many, how long, how much came, how many failed. */
export function backendRows(samples: readonly Sample[], plans: readonly RegionPlan[]): string[][] {
  const names = plans.map(({ backend }) => backend);
  const { backends } = countersOf(samples, names);
  const rows = names.map((backend) => {
    const counted = backends.get(backend);
    return [
      backend,
      bytesText(counted?.bytes ?? 0),
      countText(counted?.requests ?? 0),
      mean(samples, BACKEND_SECONDS, { backend }),
      errorsText(samples, backend),
    ];
  });
  return [["Backend", "received", "requests", "mean", "errors"], ...rows];
}

/** Failed requests, with what they failed of: `2 (timeout)`. */
function errorsText(samples: readonly Sample[], backend: string): string {
  const ofBackend = samples.filter(({ labels }) => labels.get("backend") === backend);
  const kinds = totalsBy(ofBackend, "warpdrive_backend_errors_total", "error_type");
  const count = [...kinds.values()].reduce((sum, value) => sum + value, 0);
  return count === 0 ? "0" : `${countText(count)} (${[...kinds.keys()].join(", ")})`;
}

/** Mean of the histogram `name`; `-` where nothing was measured. */
function mean(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): string {
  const count = total(samples, `${name}_count`, labels);
  return count === 0 ? "-" : secondsText(total(samples, `${name}_sum`, labels) / count);
}
