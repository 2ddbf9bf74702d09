/**
 * The catalogue of every metric WarpDrive serves: name, type, unit, labels and meaning in one
 * place. `docs/metrics.md` and the dashboards are compared with it by tests.
 */

/** One metric as Prometheus knows it. */
export interface MetricSpec {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** What a value counts: base units only, as Prometheus asks. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets, in its unit; empty for the other types. */
  readonly buckets: readonly number[];
}

function counter(name: string, unit: string, labels: readonly string[], help: string): MetricSpec {
  return { name, type: "counter", unit, labels, help, buckets: [] };
}

function gauge(name: string, unit: string, labels: readonly string[], help: string): MetricSpec {
  return { name, type: "gauge", unit, labels, help, buckets: [] };
}

/** The catalogue, by what the code calls each metric. */
export const METRICS = {
  cacheHits: counter(
    "warpdrive_cache_hit_total",
    "blocks",
    [],
    "Blocks of read requests served from the cache without waiting for a store",
  ),
  cacheMisses: counter(
    "warpdrive_cache_miss_total",
    "blocks",
    [],
    "Blocks of read requests that waited for a store",
  ),
  cacheEvictions: counter(
    "warpdrive_cache_evictions_total",
    "blocks",
    [],
    "Blocks removed from the cache to make room",
  ),
  cacheCorruptions: counter(
    "warpdrive_cache_corruptions_total",
    "chunks",
    [],
    "Damaged chunks and data files found in the cache and fetched again",
  ),
  cacheBypassed: gauge(
    "warpdrive_cache_bypassed",
    "boolean",
    [],
    "1 while the disk of the cache fails and reads go past it, else 0",
  ),
  cacheSize: gauge("warpdrive_cache_size_bytes", "bytes", [], "Bytes the cache holds on disk"),
  cacheUtilization: gauge(
    "warpdrive_cache_utilization_ratio",
    "ratio",
    [],
    "Bytes the cache holds over the most it may hold, 0 to 1",
  ),
  readaheadHits: counter(
    "warpdrive_readahead_hit_total",
    "blocks",
    [],
    "Blocks fetched ahead of use and read later",
  ),
  readaheadWasted: counter(
    "warpdrive_readahead_wasted_total",
    "blocks",
    [],
    "Blocks fetched ahead of use and never read",
  ),
  backendErrors: counter(
    "warpdrive_backend_errors_total",
    "requests",
    ["backend", "error_type"],
    "Requests to a store that failed, by kind of failure",
  ),
  backendBytesRead: counter(
    "warpdrive_backend_bytes_read_total",
    "bytes",
    ["backend"],
    "Bytes of objects received from a store",
  ),
  backendRequestDuration: {
    name: "warpdrive_backend_request_duration_seconds",
    type: "histogram",
    unit: "seconds",
    labels: ["backend", "operation"],
    help: "Time from sending a request to a store to its last byte, failed requests included",
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
  },
  backendHedges: counter(
    "warpdrive_backend_hedges_total",
    "requests",
    ["backend", "result"],
    "Second requests for ranges that stalled, by whether their bytes were used",
  ),
  backendDegraded: gauge(
    "warpdrive_backend_degraded",
    "boolean",
    ["backend"],
    "1 while a backend is degraded after failures in a row and answers errors at once, else 0",
  ),
  unlistableKeys: counter(
    "warpdrive_unlistable_keys_total",
    "keys",
    ["backend"],
    "Keys left out of listings because a file system cannot show their names",
  ),
  authRefreshes: counter(
    "warpdrive_auth_refresh_total",
    "refreshes",
    ["provider", "status"],
    "Credentials obtained or renewed, by status success or failure",
  ),
  fuseOperations: counter(
    "warpdrive_fuse_operations_total",
    "operations",
    ["operation"],
    "Requests of the kernel that were answered",
  ),
  fuseOperationDuration: {
    name: "warpdrive_fuse_operation_duration_seconds",
    type: "histogram",
    unit: "seconds",
    labels: ["operation"],
    help: "Time from reading a request of the kernel to its answer",
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  },
  fuseInFlight: gauge(
    "warpdrive_fuse_requests_in_flight",
    "requests",
    [],
    "Requests of the kernel that wait for their answer",
  ),
  bufferBytes: gauge(
    "warpdrive_buffers_taken_bytes",
    "bytes",
    [],
    "Memory in use for bytes on their way from stores, of the budget of cache.memory",
  ),
  fuseNodes: gauge("warpdrive_fuse_nodes", "nodes", [], "Files and directories the kernel knows"),
  passthroughOpens: counter(
    "warpdrive_passthrough_opens_total",
    "opens",
    [],
    "Opens whose reads the kernel serves itself",
  ),
  passthroughBytes: counter(
    "warpdrive_passthrough_bytes_total",
    "bytes",
    [],
    "Sizes of the files opened so, added up: their reads are not seen one by one",
  ),
  buildInfo: gauge(
    "warpdrive_build_info",
    "1",
    ["version", "commit"],
    "Always 1; the labels say which build this is",
  ),
  processCpu: counter(
    "process_cpu_seconds_total",
    "seconds",
    [],
    "User and system CPU time of the process",
  ),
  processMemory: gauge(
    "process_resident_memory_bytes",
    "bytes",
    [],
    "Resident memory of the process",
  ),
  processFileDescriptors: gauge(
    "process_open_fds",
    "descriptors",
    [],
    "Open file descriptors of the process",
  ),
  processStart: gauge(
    "process_start_time_seconds",
    "seconds",
    [],
    "When the process started, since the Unix epoch",
  ),
} as const satisfies Readonly<Record<string, MetricSpec>>;
