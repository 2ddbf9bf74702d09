/** From the configured cache to one that is open. */
import { BlockCache } from "./block_cache.ts";
import { BufferPool } from "./fetch/buffer_pool.ts";
import { CacheDirectory } from "./disk/cache_directory.ts";
import { CacheHealth } from "./disk/cache_health.ts";
import { CacheIndex } from "./index/cache_index.ts";
import { CHUNK_BYTES } from "./object/chunk_map.ts";
import type { CacheSettings } from "./config/cache_config.ts";
import { DiskThreads } from "./disk/disk_threads.ts";
import { noStepHook } from "./disk/durable_step.ts";
import type { FetchBuffers } from "./fetch/fetch_buffers.ts";
import type { BackendCounts } from "./index/counters.ts";
import type { IndexReading } from "./index/reading.ts";
import { IndexedNames, type KnownNames } from "./index/known_names.ts";
import type { Clock } from "./platform/clock.ts";
import type { Libc } from "./platform/libc.ts";
import { TaskGroup } from "./platform/limit.ts";
import type { Logger } from "./platform/log.ts";
import { createResidency } from "./residency/resident_book.ts";
import type { CacheMetrics } from "./metrics/telemetry.ts";

/** Calls to the cache's disk at once, and behind them. */
const DISK_CALLS_MAX = 32;
const DISK_CALLS_QUEUED_MAX = 4_096;
/** Longest wait for the index: a read goes to the store rather than wait longer for it. */
const INDEX_TIMEOUT_MS = 1_000;
/** Replies put together from several places at once, and waiting for their turn. */
const REPLIES_MAX = 64;
const REPLIES_QUEUED_MAX = 4_096;
/** Chunks read back to be verified at once. */
const CHECKS_MAX = 16;
/** Objects that left and are still remembered by the policy. */
const GHOSTS_MAX = 1_000_000;
const LISTINGS = { rowsMax: 100_000, bytesMax: 256 * 1024 * 1024 };

/** What the cache is opened with. */
export interface OpenCacheDeps {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  readonly buffers: FetchBuffers;
  /** Who holds the cache: shown to others that want it. */
  readonly mountPoint: string;
  /** Largest range of one read. */
  readonly readBytesMax: number;
}

/** A cache with what has to be closed after it. */
export interface OpenCache extends AsyncDisposable {
  readonly cache: BlockCache;
  readonly health: CacheHealth;
  /** The index, for looking. */
  readonly reading: IndexReading;
  /** What was counted before this process had it. */
  readonly atStart: readonly BackendCounts[];
  /** How much is kept: bytes charged and object versions. */
  readonly usage: { readonly usedBytes: number; readonly objects: number };
  /** What is known of stores while they do not answer. */
  readonly names: KnownNames;
  /** How long that serves. */
  readonly offlineTtlMs: number;
}

/**
 * Opens the cache directory, which one process at a time may use.
 *
 * @throws {CommandError} when another process has it, or a newer release wrote it.
 */
export async function openCache(
  settings: CacheSettings,
  { libc, clock, logger, metrics, buffers, mountPoint, readBytesMax }: OpenCacheDeps,
): Promise<OpenCache> {
  const holder = { pid: Deno.pid, mountPoint, sinceMs: clock.wallMs() };
  const directory = CacheDirectory.open(settings.path, holder, libc);
  const opening = openIndex(directory, clock, logger, metrics);
  const { index, atStart } = await opening.catch((error: unknown) => {
    directory[Symbol.dispose]();
    throw error;
  });
  const closing = new AbortController();
  const tasks = new TaskGroup((error) => logger.error("Lose a task of the cache", { error }));
  const threads = new DiskThreads(DISK_CALLS_MAX, DISK_CALLS_QUEUED_MAX);
  const health = new CacheHealth({ directory, clock, logger, tasks, signal: closing.signal });
  const residency = createResidency({
    policy: settings.policy,
    capacityBytes: settings.sizeBytesMax,
    ghostsMax: GHOSTS_MAX,
  });
  const cache = new BlockCache({
    settings,
    directory,
    index,
    health,
    tasks,
    clock,
    logger,
    metrics,
    residency,
    files: { libc, threads, tasks, step: noStepHook },
    buffers,
    replies: new BufferPool("cache replies", readBytesMax, REPLIES_MAX, REPLIES_QUEUED_MAX),
    checks: new BufferPool("cache checks", CHUNK_BYTES, CHECKS_MAX, REPLIES_QUEUED_MAX),
    scratch: new Uint8Array(readBytesMax),
  });
  const names = new IndexedNames({ index, health, clock, tasks });
  return {
    cache,
    health,
    reading: index,
    atStart,
    usage: {
      get usedBytes() {
        return residency.usedBytes;
      },
      get objects() {
        return residency.count;
      },
    },
    names,
    offlineTtlMs: settings.offlineTtlMs,
    async [Symbol.asyncDispose]() {
      await names[Symbol.asyncDispose]();
      closing.abort();
      await cache[Symbol.asyncDispose]();
      await index[Symbol.asyncDispose]();
      directory[Symbol.dispose]();
    },
  };
}

async function openIndex(
  directory: CacheDirectory,
  clock: Clock,
  logger: Logger,
  metrics: CacheMetrics,
): Promise<{ readonly index: CacheIndex; readonly atStart: readonly BackendCounts[] }> {
  const index = await CacheIndex.open({
    path: directory.indexPath,
    listings: LISTINGS,
    clock,
    timeoutMs: INDEX_TIMEOUT_MS,
    step: noStepHook,
    onDamage: (reason) => {
      metrics.corrupted(1);
      logger.error("Drop what is damaged in the index of the cache", { reason });
    },
  });
  try {
    return { index, atStart: await index.counts() };
  } catch (error) {
    await index[Symbol.asyncDispose]();
    throw error;
  }
}
