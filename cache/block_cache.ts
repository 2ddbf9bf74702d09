/**
 * The block cache: object versions on local disk, kept over restarts.
 *
 *     unknown ──open──▶ open ──first bytes admitted──▶ open, with a row and a data file
 *        ▲               │                                │ last close
 *        ├──last close, nothing kept                      ▼
 *        └──────────────evicted───────────────── on disk ◀──open──▶ open, as it was
 *
 * Crash invariants (any durable step may be the last):
 * 1. A row of the index is committed after the bytes it announces were written.
 * 2. A data file without a row is an orphan, removed in the background after a start.
 * 3. A row whose file is missing, cut or replaced is dropped when it is opened.
 * 4. After a start every chunk is unverified; its checksum decides, not the shutdown.
 *
 * A failure of the cache's disk turns keeping off until the disk works again; reads go on.
 */
import { AheadMemory } from "./readahead/ahead_memory.ts";
import type { AdaptiveLimit } from "./backend/guard/adaptive_limit.ts";
import { type Backend, BackendError, type ObjectEntry } from "./backend/backend.ts";
import type { BufferPool } from "./fetch/buffer_pool.ts";
import { CacheDiskError, notAnswering } from "./disk/cache_disk_error.ts";
import { CacheCommits } from "./object/cache_commits.ts";
import { CacheCounts } from "./operations/cache_counts.ts";
import type { CacheDirectory } from "./disk/cache_directory.ts";
import type { CacheHealth } from "./disk/cache_health.ts";
import type { CacheIndex } from "./index/cache_index.ts";
import type { CacheKeeper } from "./cache_keeper.ts";
import type { CachedObject } from "./object/cached_object.ts";
import { CacheEvictor } from "./operations/cache_evictor.ts";
import { CacheOperations } from "./operations/cache_operations.ts";
import { CacheResidents, keyOfRow } from "./residency/cache_residents.ts";
import { CacheSpace } from "./disk/cache_space.ts";
import { CacheVerifier } from "./operations/cache_verifier.ts";
import { CommitLoop } from "./object/commit_loop.ts";
import type { CacheSettings } from "./config/cache_config.ts";
import type { DataFile, DataFileDeps } from "./disk/data_file.ts";
import type { FetchBuffers } from "./fetch/fetch_buffers.ts";
import { FetchScheduler } from "./fetch/fetch.ts";
import { ObjectFiles } from "./disk/object_files.ts";
import { objectEntry } from "./index/children.ts";
import { ObjectLoader, type ObjectToOpen } from "./object/object_loader.ts";
import type { ObjectSource, WantedRange } from "./object/open_object.ts";
import type { PlannedObjects, PlannedPlace } from "./plan/planned_objects.ts";
import { ObjectRemovals } from "./disk/object_removals.ts";
import { ObjectOpener } from "./object/object_opener.ts";
import { OpenObjects } from "./object/open_objects.ts";
import { PinnedObjects } from "./residency/pinned_objects.ts";
import { ResidentHolds } from "./residency/resident_holds.ts";
import { AssertionError } from "./platform/assert.ts";
import type { Clock } from "./platform/clock.ts";
import type { Memory } from "./platform/libc.ts";
import { TaskGroup } from "./platform/limit.ts";
import type { Logger } from "./platform/log.ts";
import { within } from "./platform/within.ts";
import type { ObjectKey, Residency } from "./residency/residency.ts";
import type { CacheMetrics } from "./metrics/telemetry.ts";

/** Longest wait for calls of the disk when the cache is closed. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Longest wait for the cache's disk to say how much room it has. */
const DISK_TIMEOUT_MS = 1_000;

/** What the cache works with. */
export interface BlockCacheDeps {
  readonly settings: CacheSettings;
  readonly directory: CacheDirectory;
  readonly index: CacheIndex;
  readonly residency: Residency;
  readonly health: CacheHealth;
  readonly files: DataFileDeps;
  readonly tasks: TaskGroup;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  readonly buffers: FetchBuffers;
  readonly replies: BufferPool;
  readonly checks: BufferPool;
  /** Receives reads that need no waiting. */
  readonly scratch: Memory;
}

/** Object versions of all backends on one disk. */
export class BlockCache implements CacheKeeper, PlannedObjects, AsyncDisposable {
  readonly #deps: BlockCacheDeps;
  readonly #space: CacheSpace;
  readonly #ahead: AheadMemory;
  readonly #commits = new CacheCommits();
  readonly #counts: CacheCounts;
  readonly #closing = new AbortController();
  readonly #open = new OpenObjects();
  readonly #residents: CacheResidents;
  readonly #evictor: CacheEvictor;
  readonly #holds: ResidentHolds;
  readonly #loader: ObjectLoader;
  readonly #opener: ObjectOpener;
  readonly #loop: CommitLoop;
  readonly #creating = new Map<CachedObject, Promise<DataFile | null>>();
  /** Told of in the log: a file that was swapped has a thousand bad chunks. */
  readonly #damaged = new WeakSet<CachedObject>();
  /** By backend. */
  readonly #schedulers = new Map<string, FetchScheduler>();
  /** What an operator does with the cache. */
  readonly operations: CacheOperations;

  /** Takes over what the index knows, in the background, and begins to keep. */
  constructor(deps: BlockCacheDeps) {
    const { settings, residency, clock, directory, buffers, tasks } = deps;
    this.#deps = deps;
    this.#counts = new CacheCounts(deps.metrics);
    this.#ahead = new AheadMemory(buffers.budgetBytes / 4);
    const { signal } = this.#closing;
    const removals = new ObjectRemovals({ ...deps, signal });
    this.#holds = new ResidentHolds(residency);
    const pins = new PinnedObjects(this.#holds, settings.sizeBytesMax);
    this.#residents = new CacheResidents({ ...deps, removals, pins, counts: this.#counts });
    this.#evictor = new CacheEvictor({
      ...deps,
      residents: this.#residents,
      open: this.#open,
      commits: this.#commits,
      counts: this.#counts,
      blockBytes: settings.blockBytes,
      linger: (bytes) => this.#space.linger(bytes),
    });
    this.#loader = new ObjectLoader({
      ...deps,
      counts: this.#counts,
      keeper: this,
      files: new ObjectFiles(deps),
      residents: this.#residents,
      removals,
      open: this.#open,
      holds: this.#holds,
      ahead: this.#ahead,
    });
    this.#opener = new ObjectOpener({
      open: this.#open,
      loader: this.#loader,
      residency,
      residents: this.#residents,
      tasks,
      revive: (object) => this.#loop.revive(object),
      close: (object) => this.#close(object),
      signal,
    });
    this.#space = new CacheSpace({
      residency,
      capacityBytes: settings.sizeBytesMax,
      watermarks: settings,
      clock,
      measure: () => {
        const late = () => notAnswering("ask for the space of", directory.path);
        return within(directory.space(), DISK_TIMEOUT_MS, clock, late);
      },
      evict: (key) => this.#evictor.evict(key),
    });
    deps.health.whenFull(() => {
      // What is leaving already makes room, too.
      if (removals.size === 0) tasks.add(this.#relieve());
    });
    tasks.add(this.#residents.restore(signal));
    this.#loop = this.#commitLoop();
    tasks.add(this.#loop.run(signal));
    this.operations = this.#operate(pins);
  }

  /** The objects of `backend`, read through this cache, as many at once as `limit` says. */
  source(backend: Backend, limit: AdaptiveLimit): ObjectSource {
    const { buffers, settings: { fetchesMax } } = this.#deps;
    const scheduler = new FetchScheduler({ backend, buffers, limit, fetchesMax });
    this.#schedulers.set(backend.name, scheduler);
    const open = (path: string, entry: ObjectEntry, uid: number) =>
      this.#opener.open({ scheduler, backend: backend.name, path, entry, uid }, "read");
    return {
      open,
      prefetch: (path, entry, uid, lengthBytes) => {
        if (!scheduler.hasRoom("directory")) return;
        this.#deps.tasks.add(this.#prefetch(() => open(path, entry, uid), lengthBytes));
      },
      bring: (wanted, ended) =>
        this.#bring(() => open(wanted.path, wanted.entry, wanted.uid), wanted, ended),
      keptBytes: async (path, { version }) =>
        await this.operations.cachedBytes(backend.name, path, version) ?? 0,
    };
  }

  get capacityBytes(): number {
    return this.#space.capacityBytes;
  }

  planned(key: ObjectKey, nextUse: number): void {
    this.#deps.residency.planned(key, nextUse);
  }

  placeOf(key: ObjectKey): PlannedPlace {
    const resident = this.#residents.get(key);
    if (resident === undefined) return "absent";
    return this.#residents.isVerified(resident.row) ? "ready" : "resident";
  }

  async admit(object: CachedObject, bytes: number): Promise<DataFile | null> {
    await this.#residents.restored;
    if (this.#deps.health.state.kind !== "working") return null;
    if (!await this.#space.reserve(object, bytes)) return null;
    // One whose file was left has its row, and gets a file when it is opened anew.
    if (object.stored.file !== null || object.row !== null) return object.stored.file;
    let creating = this.#creating.get(object);
    if (creating === undefined) {
      creating = this.#createFile(object).finally(() => this.#creating.delete(object));
      this.#creating.set(object, creating);
    }
    return await creating;
  }

  written(object: CachedObject, first: number, last: number): void {
    this.#commits.chunks(object, first, last);
    this.#opener.noteTrust(object);
  }

  corrupt(object: CachedObject, chunk: number): void {
    const { backend, path } = object;
    this.#counts.corrupted(backend);
    const message = "Drop damaged chunks of the cache: they are fetched again";
    if (!this.#damaged.has(object)) this.#deps.logger.error(message, { backend, path, chunk });
    this.#damaged.add(object);
    this.#commits.chunks(object, chunk, chunk);
    if (object.row !== null) this.#residents.distrust(object.row);
  }

  cut(object: CachedObject): void {
    const { backend, path } = object;
    this.#counts.corrupted(backend);
    this.#deps.logger.error("Drop an object of the cache: its data file was cut", {
      backend,
      path,
    });
    this.#evictor.takeOut(object.key);
  }

  diskFailed(error: unknown): void {
    this.#deps.health.failed(error);
  }

  fetched(object: CachedObject, bytes: number): void {
    this.#counts.fetched(object.backend, bytes);
  }

  counted(object: CachedObject, hits: number, misses: number): void {
    this.#counts.read(object.backend, hits, misses);
    object.lastAccessMs = this.#deps.clock.wallMs();
    this.#commits.accessed(object);
  }

  closed(object: CachedObject): void {
    this.#loop.idle(object);
  }

  /** Ends fetches and commits what is known. The index and the directory are the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const scheduler of this.#schedulers.values()) scheduler.close();
    this.#ahead.close();
    const { tasks, clock, directory, logger } = this.#deps;
    const late = () => notAnswering("close", directory.path);
    try {
      await within(tasks.settled(), CLOSE_TIMEOUT_MS, clock, late);
    } catch (error) {
      logger.warn("Leave the cache with calls under way", { error });
    }
    await this.#loop.commit();
  }

  /** Nobody waits for what is fetched early, and nobody is told when it fails. */
  async #prefetch(open: () => Promise<CachedObject>, lengthBytes: number): Promise<void> {
    const object = await open();
    try {
      const end = Math.min(lengthBytes, object.entry.sizeBytes);
      if (end > 0) await object.prefetch(0, end, "directory", this.#closing.signal);
    } catch (error) {
      if (!(error instanceof BackendError) && !this.#closing.signal.aborted) throw error;
    } finally {
      object.close();
    }
  }

  /** Writes to the index what changed, and keeps the size within its bounds. */
  #commitLoop(): CommitLoop {
    const { settings, index, health, clock, metrics } = this.#deps;
    return new CommitLoop({
      commits: this.#commits,
      counts: this.#counts,
      index,
      health,
      clock,
      close: (object) => this.#close(object),
      committed: () => {
        this.#space.trim();
        metrics.size(this.#space.usedBytes, settings.sizeBytesMax);
      },
    });
  }

  async #bring(
    open: () => Promise<CachedObject>,
    { offset, lengthBytes }: WantedRange,
    ended: AbortSignal,
  ): Promise<"kept" | "not kept"> {
    const signal = AbortSignal.any([ended, this.#closing.signal]);
    const object = await open();
    try {
      const end = Math.min(offset + lengthBytes, object.entry.sizeBytes);
      if (end > offset) await object.prefetch(offset, end, "directory", signal);
      // The same question that the writing of what has come asks, so the answer is the same.
      return await this.admit(object, 0) === null ? "not kept" : "kept";
    } finally {
      object.close();
    }
  }

  #operate(pins: PinnedObjects): CacheOperations {
    const { buffers, health, settings } = this.#deps;
    // Of what an earlier configuration had: nothing is fetched for a look.
    const limit = { current: 0 };
    const read = () => Promise.reject(new AssertionError("A look at an object fetches nothing"));
    const idle = new FetchScheduler({ backend: { read }, buffers, limit, fetchesMax: 0 });
    const residents = this.#residents;
    const look = (wanted: ObjectToOpen) => this.#opener.open(wanted, "look");
    const verifier = new CacheVerifier({
      health,
      look: (row) => {
        const scheduler = this.#schedulers.get(row.backend) ?? idle;
        return look({ ...row, scheduler, entry: objectEntry(row) });
      },
      trusted: (object) => this.#opener.noteTrust(object),
      isResident: (row) => residents.get(keyOfRow(row))?.row === row.id,
    });
    return new CacheOperations({
      ...this.#deps,
      residents,
      pins,
      verifier,
      look,
      evictor: this.#evictor,
      open: this.#open,
      holds: this.#holds,
      blockBytes: settings.blockBytes,
      schedulerOf: (backend) => this.#schedulers.get(backend) ?? null,
      claim: async (object, signal) => {
        await residents.restored;
        return await this.#space.claim(object, signal);
      },
    });
  }

  async #createFile(object: CachedObject): Promise<DataFile | null> {
    try {
      const file = await this.#loader.create(object);
      this.#deps.tasks.add(this.#supersede(object));
      return file;
    } catch (error) {
      this.#deps.residency.removed(object.key);
      object.admission = { kind: "refused" };
      this.#deps.health.failed(error);
      return null;
    }
  }

  /** Nothing waits for the versions before `object` to leave. */
  async #supersede(object: CachedObject): Promise<void> {
    try {
      await this.#evictor.supersede(object);
    } catch (error) {
      this.#deps.health.failed(error);
    }
  }

  async #relieve(): Promise<void> {
    try {
      await this.#space.relieve();
    } catch (error) {
      // The disk does not even say what it has: the next probe finds out.
      if (!(error instanceof CacheDiskError)) throw error;
    }
  }

  #close(object: CachedObject): void {
    this.#open.delete(object);
    const unread = object.ahead.takeUnread();
    if (object.row === null) this.#counts.readaheadWasted(object.backend, unread.length);
    else this.#residents.keepUnread(object.row, unread);
    this.#holds.release(object.key);
    // Claimed, and given up before its first byte was written.
    if (object.row === null && object.admission.kind === "admitted") {
      this.#deps.residency.removed(object.key);
    }
    this.#evictor.closed(object);
    object.stored.leave();
  }
}
