/** The block cache as one process has it, over a real directory: opened, used, left again. */
import { equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { AdaptiveLimit } from "../../cache/backend/guard/adaptive_limit.ts";
import type { ObjectEntry } from "../../cache/backend/backend.ts";
import { BlockCache } from "../../cache/block_cache.ts";
import { BufferPool } from "../../cache/fetch/buffer_pool.ts";
import { CacheDirectory } from "../../cache/disk/cache_directory.ts";
import { CacheHealth } from "../../cache/disk/cache_health.ts";
import { CacheIndex } from "../../cache/index/cache_index.ts";
import { CHUNK_BYTES } from "../../cache/object/chunk_map.ts";
import type { CacheSettings } from "../../cache/config/cache_config.ts";
import { DiskThreads } from "../../cache/disk/disk_threads.ts";
import { noStepHook, type StepHook } from "../../cache/disk/durable_step.ts";
import { FetchBuffers } from "../../cache/fetch/fetch_buffers.ts";
import type { ObjectSource, OpenObject } from "../../cache/object/open_object.ts";
import { type Clock, systemClock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { LogFields } from "../../cache/platform/log.ts";
import { createResidency } from "../../cache/residency/resident_book.ts";
import type { CacheMetrics } from "../../cache/metrics/telemetry.ts";
import { collectedLog } from "./collected_log.ts";
import { eventually } from "./eventually.ts";
import type { WatchedBackend } from "./watched_backend.ts";

const MIB = 1 << 20;
/** As large as the kernel's requests. */
export const REQUEST_BYTES = MIB;
const NEVER = new AbortController().signal;

/** What the cache counted. */
export class CountedMetrics implements CacheMetrics {
  hits = 0;
  misses = 0;
  evictions = 0;
  corruptions = 0;
  readaheadHits = 0;
  readaheadWaste = 0;
  bytes = 0;

  hit(blocks: number): void {
    this.hits += blocks;
  }
  miss(blocks: number): void {
    this.misses += blocks;
  }
  evicted(blocks: number): void {
    this.evictions += blocks;
  }
  corrupted(count: number): void {
    this.corruptions += count;
  }
  readaheadHit(blocks: number): void {
    this.readaheadHits += blocks;
  }
  readaheadWasted(blocks: number): void {
    this.readaheadWaste += blocks;
  }
  size(bytes: number): void {
    this.bytes = bytes;
  }
}

/** How a process has its cache. */
export interface CacheProcessSettings extends Omit<CacheSettings, "path"> {
  readonly step: StepHook;
  readonly libc: Libc;
  readonly memoryBytes: number;
  readonly clock: Clock;
}

const SETTINGS: CacheProcessSettings = {
  sizeBytesMax: 1024 * MIB,
  blockBytes: 4 * MIB,
  readaheadBlocks: 4,
  fetchesMax: 16,
  offlineTtlMs: Infinity,
  highWater: 0.9,
  lowWater: 0.8,
  policy: "adaptive",
  memoryBytes: 64 * MIB,
  step: noStepHook,
  libc: Libc.open(),
  clock: systemClock,
};

/** One process's cache. Disposing ends it as the end of a mount does. */
export class CacheProcess implements AsyncDisposable {
  readonly cache: BlockCache;
  readonly health: CacheHealth;
  readonly directory: CacheDirectory;
  readonly index: CacheIndex;
  readonly buffers: FetchBuffers;
  readonly metrics: CountedMetrics;
  readonly log: readonly LogFields[];
  readonly source: ObjectSource;
  readonly #tasks: TaskGroup;
  readonly #closing: AbortController;

  private constructor(
    settings: CacheSettings & CacheProcessSettings,
    directory: CacheDirectory,
    index: CacheIndex,
    metrics: CountedMetrics,
    backend: WatchedBackend,
  ) {
    const { logger, records } = collectedLog();
    const { libc, step, clock } = settings;
    this.log = records;
    this.directory = directory;
    this.index = index;
    this.metrics = metrics;
    this.#closing = new AbortController();
    const tasks = new TaskGroup((error) => logger.error("Lose a task", { error }));
    this.#tasks = tasks;
    const { signal } = this.#closing;
    this.health = new CacheHealth({ directory, clock, logger, tasks, signal });
    this.buffers = new FetchBuffers(settings.memoryBytes);
    this.cache = new BlockCache({
      settings,
      directory,
      index,
      health: this.health,
      tasks,
      clock,
      logger,
      metrics,
      residency: createResidency({
        policy: settings.policy,
        capacityBytes: settings.sizeBytesMax,
        ghostsMax: 10_000,
      }),
      files: { libc, threads: new DiskThreads(16, 4_096), tasks, step },
      buffers: this.buffers,
      replies: new BufferPool("replies", REQUEST_BYTES, 64, 4_096),
      checks: new BufferPool("checks", CHUNK_BYTES, 16, 4_096),
      scratch: new Uint8Array(REQUEST_BYTES),
    });
    this.source = this.cache.source(backend, new AdaptiveLimit(16));
  }

  /** Opens the cache in `path`, in front of `backend`. */
  static async start(
    path: string,
    backend: WatchedBackend,
    changed: Partial<CacheProcessSettings> = {},
  ): Promise<CacheProcess> {
    const settings = { ...SETTINGS, ...changed, path };
    const holder = { pid: Deno.pid, mountPoint: "/test", sinceMs: systemClock.wallMs() };
    const directory = CacheDirectory.open(path, holder, settings.libc);
    const metrics = new CountedMetrics();
    const index = await CacheIndex.open({
      path: directory.indexPath,
      listings: { rowsMax: 1_000, bytesMax: MIB },
      clock: settings.clock,
      timeoutMs: 1_000,
      step: settings.step,
      onDamage: () => metrics.corrupted(1),
    });
    return new CacheProcess(settings, directory, index, metrics, backend);
  }

  /** Opens `entry` at `path`. */
  async open(path: string, entry: ObjectEntry): Promise<OpenObject> {
    return await this.source.open(path, entry, 0);
  }

  /** Opens and reads all of an object as a program does, and compares it. */
  async readsAs(path: string, entry: ObjectEntry, wanted: Uint8Array): Promise<void> {
    const object = await this.open(path, entry);
    try {
      await readsAs(object, wanted);
    } finally {
      object.close();
    }
  }

  /** Nothing is on its way to or from the store or the disk. */
  async settled(): Promise<void> {
    // One task commits now and then, for ever.
    await eventually("the cache is idle", () => Promise.resolve(this.#tasks.size <= 1));
  }

  /** No object is open: the next open finds what the index has. */
  async allClosed(): Promise<void> {
    await eventually("all data files are closed", async () => {
      for await (const { name } of Deno.readDir("/proc/self/fd")) {
        const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
        if (target.startsWith(`${this.directory.path}/data/`)) return false;
      }
      return true;
    });
  }

  /** What the log says at `level`. */
  logged(level: string): unknown[] {
    return this.log.filter((record) => record["level"] === level).map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.cache[Symbol.asyncDispose]();
    // Descriptors are closed last.
    await this.#tasks.settled();
    await this.index[Symbol.asyncDispose]();
    this.directory[Symbol.dispose]();
  }
}

/** Bytes of `object` at `offset`, as a copy. */
export async function readAt(
  object: OpenObject,
  offset: number,
  length: number,
  signal = NEVER,
): Promise<Uint8Array> {
  const ready = object.readNow(offset, length);
  if (ready !== null) return ready.slice();
  const lease = await object.read(offset, length, signal);
  const bytes = lease.bytes.slice();
  lease.release();
  return bytes;
}

/** Reads all of `object` in order and compares it with `wanted`. */
export async function readsAs(object: OpenObject, wanted: Uint8Array): Promise<void> {
  for (let offset = 0; offset < wanted.length; offset += REQUEST_BYTES) {
    const length = Math.min(REQUEST_BYTES, wanted.length - offset);
    const bytes = await readAt(object, offset, length);
    equal(Buffer.compare(bytes, wanted.subarray(offset, offset + length)), 0, `at ${offset}`);
  }
}

/** A temporary directory, gone at the end. */
export async function cachePlace(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "warpdrive-cache-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Paths of the data files in the cache at `path`. */
export async function dataFilesIn(path: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(`${path}/data`)) {
    for await (const file of Deno.readDir(`${path}/data/${name}`)) {
      files.push(`${path}/data/${name}/${file.name}`);
    }
  }
  return files;
}
