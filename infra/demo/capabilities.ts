/**
 * The six capabilities of the founding documents, each decided by what was measured. Speed decides
 * nothing: it depends on the machine, and is printed.
 */
import { hitRate, ofAllBackends } from "./counters.ts";
import { type Epoch, fetchedFrom, sameTraining } from "./epoch.ts";
import { bytesText, countText, percentText, ratioText } from "./figures.ts";
import type { RegionPlan } from "./region.ts";

/** How reading everything back with sha256sum went. */
export interface Comparison {
  readonly files: number;
  /** What sha256sum said of those that differ or cannot be read. */
  readonly differences: readonly string[];
}

/** Everything that was measured. */
export interface Evidence {
  readonly regions: readonly RegionPlan[];
  readonly cold: Epoch;
  readonly warm: Epoch;
  readonly contents: Comparison;
  /** Whether the trainer had a network. */
  readonly trainerNetwork: "none" | "the machine's";
  readonly identity: {
    /** Tokens that the metadata endpoint gave to the mount. */
    readonly tokens: number;
    /** Credentials that the mount says it obtained, and failed to obtain. */
    readonly refreshes: number;
    readonly failures: number;
    /** HTTP status of a listing without a token, in each region. */
    readonly statusesWithoutToken: readonly number[];
  };
  readonly metrics: {
    /** HTTP status of /healthz. */
    readonly health: number;
    readonly series: number;
    /** Object bytes received in the cold epoch, by the metrics. */
    readonly countedBytes: number;
    /** All bytes that the relays passed on meanwhile. */
    readonly linkBytes: number;
  };
  readonly governance: {
    /** Commands of `ctl` that were run on the live mount, with their exit codes. */
    readonly commands: readonly { readonly name: string; readonly code: number }[];
    /** Object bytes that reading took which `ctl warm` had fetched before. */
    readonly bytesAfterWarm: number;
  };
}

/** A capability, and the measurement that decides. */
export interface Capability {
  readonly title: string;
  readonly holds: boolean;
  readonly because: string;
}

/**
 * Headers, TLS and listings may add this much to the bytes of objects on a link; more means that
 * the metrics count something else than what was transferred.
 */
const OVERHEAD_MAX = 0.1;
/** Handshakes and listings of one epoch. */
const OVERHEAD_BYTES = 512 * 1024;
/** Without these there is no governance to speak of. */
const COMMANDS_WANTED = ["warm", "status", "stats", "usage", "stale", "explain"];

/** All six, in the order of the founding documents. */
export function capabilities(evidence: Evidence): Capability[] {
  return [
    fabric(evidence),
    caching(evidence),
    zeroCode(evidence),
    identity(evidence),
    observability(evidence),
    governance(evidence),
  ];
}

function fabric({ regions, cold, warm }: Evidence): Capability {
  const fetched = regions.map((plan) => ({ plan, ...fetchedFrom(cold, plan) }));
  const errors = ofAllBackends(cold.counters).errors + ofAllBackends(warm.counters).errors;
  const parts = fetched.map(({ plan, bytes }) => `${bytesText(bytes)} from ${plan.title}`);
  return {
    title: "Cross-Region Data Fabric",
    holds: errors === 0 && fetched.length > 1 && fetched.every(({ bytes }) => bytes > 0),
    because: `one epoch read ${parts.join(" and ")} in one tree, ${errors} errors`,
  };
}

function caching({ cold, warm, contents }: Evidence): Capability {
  const { bytes } = ofAllBackends(warm.counters);
  const rate = hitRate(warm.counters);
  const same = sameTraining(cold, warm);
  return {
    title: "Transparent NVMe Caching",
    holds: bytes === 0 && warm.counters.misses === 0 && (rate === null || rate === 1) && same &&
      contents.differences.length === 0,
    because: `warm epoch: ${bytesText(bytes)} from the backends, hit rate ` +
      `${percentText(warm.counters)}, ${countText(warm.counters.misses)} misses, losses ` +
      `${same ? "identical" : "DIFFERENT"}; data load per step ${
        ratioText(cold.summary.data_ms / warm.summary.data_ms)
      } shorter`,
  };
}

function zeroCode({ contents, trainerNetwork }: Evidence): Capability {
  const { files, differences } = contents;
  const trainer = trainerNetwork === "none" ? "no network and no credentials" : "no credentials";
  const same = files - differences.length;
  return {
    title: "Zero-Code Cloud Access",
    holds: files > 0 && differences.length === 0,
    because: `the trainer had ${trainer}, only paths; sha256sum(1) found ` +
      `${same} of ${files} shards as they were stored`,
  };
}

function identity({ identity: seen }: Evidence): Capability {
  const refused = seen.statusesWithoutToken.every((status) => status >= 400 && status < 500);
  return {
    title: "Managed-Identity Auth",
    holds: seen.tokens > 0 && seen.refreshes > 0 && seen.failures === 0 && refused,
    because: `${seen.tokens} tokens from the metadata endpoint, no key or secret given to the ` +
      `mount; without a token the stores answer ${seen.statusesWithoutToken.join(" and ")}`,
  };
}

function observability({ metrics }: Evidence): Capability {
  const { health, series, countedBytes, linkBytes } = metrics;
  const most = countedBytes * (1 + OVERHEAD_MAX) + OVERHEAD_BYTES;
  return {
    title: "Prometheus Observability",
    holds: health === 200 && series > 0 && countedBytes > 0 && countedBytes <= linkBytes &&
      linkBytes <= most,
    because: `${countText(series)} series; /healthz ${health}; the cold epoch's ` +
      `${bytesText(countedBytes)} agree with the ${bytesText(linkBytes)} seen on the links`,
  };
}

function governance({ governance: { commands, bytesAfterWarm } }: Evidence): Capability {
  const missing = COMMANDS_WANTED.filter((name) => !commands.some((run) => run.name === name));
  const failed = commands.filter(({ code }) => code !== 0).map(({ name }) => name);
  const lacks = missing.length === 0 ? "" : `; not in this version: ${missing.join(", ")}`;
  const failures = failed.length === 0 ? "" : `; FAILED: ${failed.join(", ")}`;
  return {
    title: "Data Governance",
    holds: missing.length === 0 && failed.length === 0 && bytesAfterWarm === 0,
    because: `ctl ${commands.map(({ name }) => name).join(", ")} on the live mount; what was ` +
      `warmed was read with ${bytesText(bytesAfterWarm)} from the backend${lacks}${failures}`,
  };
}
