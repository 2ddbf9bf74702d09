/** What the cache has to reach. */
import { RAW, type Target } from "./targets.ts";

/** Contenders, by the names the tables show. */
export const BARE = "bare fetch loop";
/** The same loop, writing what arrives to a file: the least that who keeps it has to do. */
export const KEEPING = "fetch loop into a file";
export const CACHE = "warpdrive";

/** The origin of a store in the same region: 20 ms to the first byte, and a shared link. */
export const SHAPED = { latencyMs: 20, bytesPerSecond: 400e6 } as const;
/** Memory a daemon may need beyond its budget. */
const MEMORY_OVER_BUDGET_MIB = 200;

function ratio(experiment: string, text: string, of: string, limit: number): Target {
  return {
    text: `${text}: at least ${limit} of the ${of}`,
    experiment,
    contender: CACHE,
    demand: { kind: "ratio at least", of: [of], limit },
  };
}

function atLeast(experiment: string, text: string, limit: number): Target {
  return { text, experiment, contender: CACHE, demand: { kind: "at least", limit } };
}

function lessThan(experiment: string, text: string, limit: number): Target {
  return { text, experiment, contender: CACHE, demand: { kind: "less than", limit } };
}

/** Requests a second that 16 readers can have answered after `SHAPED.latencyMs` each. */
export const LATENCY_IOPS = 16 / SHAPED.latencyMs * 1_000;

/** All targets, in the order of the experiments. */
export const CACHE_TARGETS: readonly Target[] = [
  ratio("warm-1", "warm, passthrough, 1 reader", RAW, 0.95),
  ratio("warm-32", "warm, passthrough, 32 readers", RAW, 0.95),
  ratio("warm-served", "warm, daemon-served, O_DIRECT 1 MiB", RAW, 0.2),
  ratio("cold-shaped", "cold, 1 reader, shaped origin", BARE, 0.9),
  ratio("cold-unshaped", "cold, 1 reader, unshaped origin", BARE, 0.6),
  atLeast(
    "cold-epoch",
    "first epoch, 8 readers: at least 0.9 of the shaped link, GB/s",
    0.9 * SHAPED.bytesPerSecond / 1e9,
  ),
  ratio("warming", "ctl warm, 32 shards, shaped origin", BARE, 0.9),
  atLeast(
    "cold-random",
    "cold random 4 KiB: at least 0.8 of what the latency allows, IOPS",
    0.8 * LATENCY_IOPS,
  ),
  lessThan("cold-random-bytes", "cold random 4 KiB: bytes fetched over bytes asked", 33.001),
  atLeast("second-epoch", "cache half the data: hit rate of epoch 2 at least 0.45", 0.45),
  lessThan("memory-512", "64 readers, budget 512 MiB: MiB over budget", MEMORY_OVER_BUDGET_MIB),
  lessThan("memory-128", "64 readers, budget 128 MiB: MiB over budget", MEMORY_OVER_BUDGET_MIB),
  lessThan("one-download", "64 processes, one cold file: downloads", 1.01),
];
