/** From the configured cache to one that is open. */
import { BlockCache } from "../cache/block_cache.ts";
import { BufferPool } from "../cache/buffer_pool.ts";
import { CacheDirectory } from "../cache/cache_directory.ts";
import { CacheHealth } from "../cache/cache_health.ts";
import { CacheIndex } from "../cache/cache_index.ts";
import { CHUNK_BYTES } from "../cache/chunk_map.ts";
import type { CacheSettings } from "../cache/config.ts";
import { DiskThreads } from "../cache/disk_threads.ts";
import { noStepHook } from "../cache/durable_step.ts";
import type { FetchBuffers } from "../cache/fetch_buffers.ts";
import { IndexedNames, type KnownNames } from "../cache/known_names.ts";
import type { Clock } from "../cache/platform/clock.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import type { Logger } from "../cache/platform/log.ts";
import { createResidency } from "../cache/resident_book.ts";
import type { CacheMetrics } from "../cache/telemetry.ts";
import { READ_BYTES_MAX } from "./fuse/handshake.ts";

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
  readonly mountPoint: string;
}

/** A cache with what has to be closed after it. */
export interface OpenCache extends AsyncDisposable {
  readonly cache: BlockCache;
  readonly health: CacheHealth;
  /** How much is kept: bytes charged and object versions. */
  readonly usage: { readonly usedBytes: number; readonly objects: number };
  /** What is known of stores while they do not answer. */
  readonly names: KnownNames;
  /** How long that serves. */
  readonly offlineTtlMs: number;
}

/**
 * Opens the cache directory, which one mount at a time may use.
 *
 * @throws {CommandError} when another process has it, or a newer release wrote it.
 */
export async function openCache(
  settings: CacheSettings,
  { libc, clock, logger, metrics, buffers, mountPoint }: OpenCacheDeps,
): Promise<OpenCache> {
  const holder = { pid: Deno.pid, mountPoint, sinceMs: clock.wallMs() };
  const directory = CacheDirectory.open(settings.path, holder, libc);
  const index = await openIndex(directory, clock, logger, metrics).catch((error: unknown) => {
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
    replies: new BufferPool("cache replies", READ_BYTES_MAX, REPLIES_MAX, REPLIES_QUEUED_MAX),
    checks: new BufferPool("cache checks", CHUNK_BYTES, CHECKS_MAX, REPLIES_QUEUED_MAX),
    scratch: new Uint8Array(READ_BYTES_MAX),
  });
  const names = new IndexedNames({ index, health, clock, tasks });
  return {
    cache,
    health,
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
): Promise<CacheIndex> {
  return await CacheIndex.open({
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
}
