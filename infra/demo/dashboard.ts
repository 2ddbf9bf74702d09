/** The metrics of a mount as tables for a person. */
import { formatBytes } from "../../cache/platform/units.ts";
import type { Sample } from "./samples.ts";
import { total, totalsBy } from "./samples.ts";

const FUSE_TOTAL = "warpdrive_fuse_operations_total";
const FUSE_SECONDS = "warpdrive_fuse_operation_duration_seconds";
const BACKEND_SECONDS = "warpdrive_backend_request_duration_seconds";

/** Requests of the kernel by kind, the most frequent first. */
export function kernelTable(samples: readonly Sample[]): string[][] {
  const rows = [...totalsBy(samples, FUSE_TOTAL, "operation")]
    .sort(([, left], [, right]) => right - left)
    .map(([operation, count]) => {
      const labels = { operation };
      return [operation, String(count), mean(samples, FUSE_SECONDS, labels)];
    });
  return [["kernel request", "count", "mean"], ...rows];
}

/** Requests to the stores: how many, how long, how much came, how many failed. */
export function backendTable(samples: readonly Sample[], backends: readonly string[]): string[][] {
  const rows = backends.map((backend) => {
    const labels = { backend };
    const requests = total(samples, `${BACKEND_SECONDS}_count`, labels);
    return [
      backend,
      String(requests),
      mean(samples, BACKEND_SECONDS, labels),
      formatBytes(total(samples, "warpdrive_backend_bytes_read_total", labels)),
      String(total(samples, "warpdrive_backend_errors_total", labels)),
    ];
  });
  return [["backend", "requests", "mean", "received", "errors"], ...rows];
}

/** Requests sent to `backend` so far. */
export function requestsTo(samples: readonly Sample[], backend: string): number {
  return total(samples, `${BACKEND_SECONDS}_count`, { backend });
}

/** Mean of the histogram `name`, for a person. */
function mean(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): string {
  const count = total(samples, `${name}_count`, labels);
  return count === 0 ? "-" : seconds(total(samples, `${name}_sum`, labels) / count);
}

function seconds(value: number): string {
  return value < 0.001 ? `${(value * 1e6).toFixed(0)} us` : `${(value * 1e3).toFixed(1)} ms`;
}
