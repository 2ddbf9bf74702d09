/** Every metric of the catalogue, ready to be counted by the part of the program it belongs to. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { BackendMetrics } from "../backend/guard/metered.ts";
import { LatencyTable, type Recorder } from "./latency_table.ts";
import { METRICS, type MetricSpec } from "./metrics.ts";
import type { ProcessSample } from "./process_metrics.ts";

/** What the cache counts. Blocks, unless a name says otherwise. */
export interface CacheMetrics {
  hit(blocks: number): void;
  miss(blocks: number): void;
  evicted(blocks: number): void;
  /** Chunks or files that were not as they were left. */
  corrupted(count: number): void;
  readaheadHit(blocks: number): void;
  readaheadWasted(blocks: number): void;
  /** Reports what the cache holds and the most it may hold. */
  size(bytes: number, maxBytes: number): void;
}

/** What the namespace counts. */
export interface NamespaceMetrics {
  unlistable(backend: string, keys: number): void;
}

/** What the kernel session counts. */
export interface FuseMetrics {
  /** Called once per kind of operation; the result costs tens of nanoseconds per request. */
  recorder(operation: string): Recorder;
  passthroughOpened(fileBytes: number): void;
}

/** Which program this is. */
export interface BuildInfo {
  readonly version: string;
  readonly commit: string;
}

/** Numbers that are asked for when somebody looks. */
export interface Probes {
  /** Nodes in the table of the file system. */
  readonly nodes: () => number;
  /** Requests of the kernel without their answer. */
  readonly requestsInFlight: () => number;
  /** Memory taken of the budget of all buffers. */
  readonly bufferBytes: () => number;
  /** Each backend by name, and whether it is degraded. */
  readonly degraded: () => ReadonlyMap<string, boolean>;
  readonly process: () => ProcessSample;
  /** Whether there is a cache that is not used because its disk fails. */
  readonly cacheBypassed: () => boolean;
}

/** The metrics of one mount. */
export interface Telemetry {
  readonly cache: CacheMetrics;
  readonly backend: BackendMetrics;
  readonly namespace: NamespaceMetrics;
  readonly fuse: FuseMetrics;
}

/** Registers the whole catalogue with `registry`. */
export function createTelemetry(registry: Registry, build: BuildInfo, probes: Probes): Telemetry {
  gaugeOf(METRICS.buildInfo, registry).set({ version: build.version, commit: build.commit }, 1);
  registerProcess(registry, probes.process);
  registerDegraded(registry, probes.degraded);
  probed(METRICS.cacheBypassed, registry, (metric) => metric.inc(probes.cacheBypassed() ? 1 : 0));
  const { requestsInFlight, bufferBytes } = probes;
  probed(METRICS.fuseInFlight, registry, (metric) => metric.inc(requestsInFlight()));
  probed(METRICS.bufferBytes, registry, (metric) => metric.inc(bufferBytes()));
  return {
    cache: cacheMetrics(registry),
    backend: backendMetrics(registry),
    namespace: namespaceMetrics(registry),
    fuse: fuseMetrics(registry, probes.nodes),
  };
}

function common(spec: MetricSpec) {
  return { name: spec.name, help: spec.help, labelNames: spec.labels };
}

function counterOf(spec: MetricSpec, registry: Registry): Counter<string> {
  return new Counter({ ...common(spec), registers: [registry] });
}

function gaugeOf(spec: MetricSpec, registry: Registry): Gauge<string> {
  return new Gauge({ ...common(spec), registers: [registry] });
}

/** Registers a metric whose values `collect` asks for at each scrape. */
function probed(
  spec: MetricSpec,
  registry: Registry,
  collect: (metric: Counter<string> | Gauge<string>) => void,
): void {
  const configuration = {
    ...common(spec),
    registers: [],
    collect(this: Counter<string> | Gauge<string>) {
      this.reset();
      collect(this);
    },
  };
  registry.registerMetric(
    spec.type === "gauge" ? new Gauge(configuration) : new Counter(configuration),
  );
}

function registerProcess(registry: Registry, sample: () => ProcessSample): void {
  probed(METRICS.processCpu, registry, (metric) => metric.inc(sample().cpuSeconds));
  probed(METRICS.processMemory, registry, (metric) => metric.inc(sample().residentBytes));
  probed(METRICS.processFileDescriptors, registry, (metric) => {
    metric.inc(sample().openDescriptors);
  });
  probed(METRICS.processStart, registry, (metric) => metric.inc(sample().startSeconds));
}

function registerDegraded(
  registry: Registry,
  degraded: () => ReadonlyMap<string, boolean>,
): void {
  probed(METRICS.backendDegraded, registry, (metric) => {
    for (const [backend, isDegraded] of degraded()) metric.inc({ backend }, isDegraded ? 1 : 0);
  });
}

function cacheMetrics(registry: Registry): CacheMetrics {
  const hits = counterOf(METRICS.cacheHits, registry);
  const misses = counterOf(METRICS.cacheMisses, registry);
  const evictions = counterOf(METRICS.cacheEvictions, registry);
  const corruptions = counterOf(METRICS.cacheCorruptions, registry);
  const readaheadHits = counterOf(METRICS.readaheadHits, registry);
  const readaheadWasted = counterOf(METRICS.readaheadWasted, registry);
  const size = gaugeOf(METRICS.cacheSize, registry);
  const utilization = gaugeOf(METRICS.cacheUtilization, registry);
  return {
    hit: (blocks) => hits.inc(blocks),
    miss: (blocks) => misses.inc(blocks),
    evicted: (blocks) => evictions.inc(blocks),
    corrupted: (count) => corruptions.inc(count),
    readaheadHit: (blocks) => readaheadHits.inc(blocks),
    readaheadWasted: (blocks) => readaheadWasted.inc(blocks),
    size(bytes, maxBytes) {
      size.set(bytes);
      utilization.set(maxBytes === 0 ? 0 : bytes / maxBytes);
    },
  };
}

function backendMetrics(registry: Registry): BackendMetrics {
  const durations = new Histogram({
    ...common(METRICS.backendRequestDuration),
    registers: [registry],
    buckets: [...METRICS.backendRequestDuration.buckets],
  });
  const errors = counterOf(METRICS.backendErrors, registry);
  const bytesRead = counterOf(METRICS.backendBytesRead, registry);
  const hedges = counterOf(METRICS.backendHedges, registry);
  const refreshes = counterOf(METRICS.authRefreshes, registry);
  return {
    request: (backend, operation, seconds) => durations.observe({ backend, operation }, seconds),
    error: (backend, errorType) => errors.inc({ backend, error_type: errorType }),
    bytesRead: (backend, bytes) => bytesRead.inc({ backend }, bytes),
    hedge: (backend, result) => hedges.inc({ backend, result }),
    authRefresh: (provider, status) => refreshes.inc({ provider, status }),
  };
}

function namespaceMetrics(registry: Registry): NamespaceMetrics {
  const unlistable = counterOf(METRICS.unlistableKeys, registry);
  return { unlistable: (backend, keys) => unlistable.inc({ backend }, keys) };
}

function fuseMetrics(registry: Registry, nodes: () => number): FuseMetrics {
  const latencies = new LatencyTable(METRICS.fuseOperationDuration.buckets);
  latencies.export(METRICS.fuseOperationDuration, registry);
  probed(METRICS.fuseOperations, registry, (metric) => {
    for (const [operation, count] of latencies.totals()) metric.inc({ operation }, count);
  });
  const opens = counterOf(METRICS.passthroughOpens, registry);
  const bytes = counterOf(METRICS.passthroughBytes, registry);
  probed(METRICS.fuseNodes, registry, (metric) => metric.inc(nodes()));
  return {
    recorder: (operation) => latencies.recorder(operation),
    passthroughOpened(fileBytes) {
      opens.inc();
      bytes.inc(fileBytes);
    },
  };
}
