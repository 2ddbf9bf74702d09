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
import { AheadMemory } from "./ahead_memory.ts";
import { AdaptiveLimit } from "./adaptive_limit.ts";
import type { Backend, ObjectEntry } from "./backend/backend.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { CacheDiskError, notAnswering } from "./cache_disk_error.ts";
import { CacheCommits } from "./cache_commits.ts";
import type { CacheDirectory } from "./cache_directory.ts";
import type { CacheHealth } from "./cache_health.ts";
import type { CacheIndex } from "./cache_index.ts";
import { CachedObject, type CacheKeeper } from "./cached_object.ts";
import { CacheResidents } from "./cache_residents.ts";
import { CacheSpace } from "./cache_space.ts";
import type { CacheSettings } from "./config.ts";
import { DataFile, type DataFileDeps } from "./data_file.ts";
import type { FetchBuffers } from "./fetch_buffers.ts";
import { FetchScheduler } from "./fetch.ts";
import type { CachedRow } from "./index_rows.ts";
import { ReadAhead } from "./object_readahead.ts";
import type { ObjectSource, OpenObject } from "./open_object.ts";
import type { Clock } from "./platform/clock.ts";
import type { Memory } from "./platform/libc.ts";
import { TaskGroup } from "./platform/limit.ts";
import type { Logger } from "./platform/log.ts";
import { within } from "./platform/within.ts";
import type { ObjectKey, Residency } from "./residency.ts";
import type { CacheMetrics } from "./telemetry.ts";

/** How long changes are gathered before they are committed to the index together. */
const COMMIT_MS = 500;
/** Blocks ahead of a sequential reader at most, unless the configuration begins with more. */
const WINDOW_BLOCKS = 8;
/** Longest wait for the cache's disk when an object is opened. */
const DISK_TIMEOUT_MS = 1_000;
/** Closed objects that wait for a commit, each with open descriptors, before it is made at once. */
const IDLE_MAX = 1_000;
/** Longest wait for calls of the disk when the cache is closed. */
const CLOSE_TIMEOUT_MS = 5_000;
const NEVER = new AbortController().signal;

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
export class BlockCache implements CacheKeeper, AsyncDisposable {
  readonly #deps: BlockCacheDeps;
  readonly #space: CacheSpace;
  readonly #ahead: AheadMemory;
  readonly #commits = new CacheCommits();
  readonly #closing = new AbortController();
  /** Objects that are open or being opened, by backend, path and version. */
  readonly #open = new Map<string, Promise<CachedObject>>();
  /** Those of them that have a row, by row. */
  readonly #openRows = new Map<number, CachedObject>();
  readonly #residents: CacheResidents;
  /**
   * Objects nobody has open. They stay until what changed of them is committed: opened again before
   * that, they would be found as the index had them.
   */
  readonly #idle = new Set<CachedObject>();
  #commitSoon = new AbortController();
  readonly #creating = new Map<CachedObject, Promise<DataFile | null>>();
  readonly #schedulers: FetchScheduler[] = [];

  /** Takes over what the index knows, in the background, and begins to keep. */
  constructor(deps: BlockCacheDeps) {
    const { settings, residency, clock, directory, buffers, tasks } = deps;
    this.#deps = deps;
    this.#ahead = new AheadMemory(buffers.budgetBytes / 4);
    this.#residents = new CacheResidents(deps);
    this.#space = new CacheSpace({
      residency,
      capacityBytes: settings.sizeBytesMax,
      clock,
      measure: () => {
        const late = () => notAnswering("ask for the space of", directory.path);
        return within(directory.space(), DISK_TIMEOUT_MS, clock, late);
      },
      evict: (key) => this.#evict(key),
    });
    tasks.add(this.#residents.restore(this.#closing.signal));
    tasks.add(this.#commitNowAndThen());
  }

  /** The objects of `backend`, read through this cache. */
  source(backend: Backend, requestsMax: number): ObjectSource {
    const { buffers, clock } = this.#deps;
    const limit = new AdaptiveLimit(requestsMax);
    const scheduler = new FetchScheduler({ backend, buffers, limit, clock });
    this.#schedulers.push(scheduler);
    return {
      open: (path, entry, uid) => this.#openObject(scheduler, backend.name, path, entry, uid),
    };
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
    this.#noteTrust(object);
  }

  corrupt(object: CachedObject, chunk: number): void {
    const { metrics, logger } = this.#deps;
    metrics.corrupted(1);
    logger.error("Drop a damaged chunk of the cache: it is fetched again", {
      backend: object.backend,
      path: object.path,
      chunk,
    });
    this.#commits.chunks(object, chunk, chunk);
    if (object.row !== null) this.#residents.distrust(object.row);
  }

  cut(object: CachedObject): void {
    const { metrics, logger } = this.#deps;
    const { backend, path } = object;
    metrics.corrupted(1);
    logger.error("Drop an object of the cache: its data file was cut", { backend, path });
    this.#takeOut(object.key);
  }

  diskFailed(error: unknown): void {
    this.#deps.health.failed(error);
  }

  counted(object: CachedObject, hits: number, misses: number): void {
    const { metrics, residency, clock } = this.#deps;
    if (hits > 0) metrics.hit(hits);
    if (misses > 0) metrics.miss(misses);
    residency.access(object.key, object.entry.sizeBytes);
    object.lastAccessMs = clock.wallMs();
    this.#commits.accessed(object);
  }

  closed(object: CachedObject): void {
    this.#idle.add(object);
    if (this.#idle.size >= IDLE_MAX) this.#commitSoon.abort();
  }

  /** Ends fetches and commits what is known. The index and the directory are the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const scheduler of this.#schedulers) scheduler.close();
    this.#ahead.close();
    const { tasks, clock, directory, logger } = this.#deps;
    const late = () => notAnswering("close", directory.path);
    try {
      await within(tasks.settled(), CLOSE_TIMEOUT_MS, clock, late);
    } catch (error) {
      logger.warn("Leave the cache with calls under way", { error });
    }
    await this.#commit();
  }

  async #openObject(
    scheduler: FetchScheduler,
    backend: string,
    path: string,
    entry: ObjectEntry,
    uid: number,
  ): Promise<OpenObject> {
    const name = openKey(backend, path, entry.version);
    let object: CachedObject | null = null;
    while (object === null) {
      let opening = this.#open.get(name);
      if (opening === undefined) {
        opening = this.#load(scheduler, backend, path, entry, uid);
        this.#open.set(name, opening);
      }
      const loaded = await opening;
      // It may have been closed by its last user before this one got it.
      if (this.#open.get(name) !== opening) continue;
      if (this.#idle.delete(loaded)) this.#open.set(name, this.#lookedAt(loaded));
      else object = loaded;
    }
    object.opens += 1;
    this.#deps.residency.hold(object.key);
    if (object.admission.kind === "refused") object.admission = { kind: "undecided" };
    if (object.stored.map.complete && !object.stored.map.trusted) {
      // This open is served by the daemon; a later one may pass through.
      this.#deps.tasks.add(this.#verify(object));
    }
    return object;
  }

  /** An object as the index and its data file have it; never fails for the cache's sake. */
  async #load(
    scheduler: FetchScheduler,
    backend: string,
    path: string,
    entry: ObjectEntry,
    uid: number,
  ): Promise<CachedObject> {
    const { settings, metrics, replies, checks, scratch, tasks, health, index, clock } = this.#deps;
    const { blockBytes, readaheadBlocks } = settings;
    const window = {
      blockBytes,
      windowBlocksStart: readaheadBlocks,
      windowBlocksMax: Math.max(WINDOW_BLOCKS, readaheadBlocks),
    };
    const ahead = new ReadAhead(entry.sizeBytes, window, metrics, this.#ahead);
    const deps = {
      keeper: this,
      scheduler,
      clock,
      tasks,
      replies,
      checks,
      scratch,
      blockBytes,
    };
    const object = new CachedObject(backend, path, entry, uid, ahead, deps);
    object.lastAccessMs = clock.wallMs();
    if (health.state.kind !== "working") return object;
    try {
      const row = await index.find({ backend, path, version: entry.version });
      if (row !== null) await this.#takeOver(object, row);
    } catch (error) {
      health.failed(error);
    }
    return object;
  }

  async #takeOver(object: CachedObject, row: CachedRow): Promise<void> {
    const { index, metrics, logger } = this.#deps;
    const { id, sizeBytes, cachedBytes } = row;
    let file: DataFile;
    let fingerprint: string;
    try {
      if (sizeBytes !== object.entry.sizeBytes) throw wrongSize(row);
      const path = this.#deps.directory.dataPath(id);
      file = await this.#inTime(DataFile.open(path, sizeBytes, this.#deps.files, NEVER), path);
      fingerprint = await file.fingerprint(NEVER);
    } catch (error) {
      if (!(error instanceof CacheDiskError) || error.code !== "gone") throw error;
      const { backend, path } = object;
      const message = "Drop an object of the cache: its data file is not as it was left";
      logger.warn(message, { backend, path, error });
      metrics.corrupted(1);
      this.#residents.forget(object.key, id);
      return;
    }
    this.#residents.add(object.key, { row: id, sizeBytes }, cachedBytes);
    for (const block of await index.blocksOf(id)) object.stored.map.load(block);
    object.admission = { kind: "admitted", chargedBytes: cachedBytes };
    object.stored.use(file);
    object.row = id;
    this.#openRows.set(id, object);
    if (object.stored.map.complete && this.#residents.isTrusted(id, fingerprint)) {
      object.stored.map.trustAll();
    }
  }

  /** An object that was closed, which trusts its file only if nobody has touched that since. */
  async #lookedAt(object: CachedObject): Promise<CachedObject> {
    const { stored: { file, map }, row } = object;
    if (file === null || row === null || !map.trusted) return object;
    try {
      const late = () => notAnswering("stat", file.path);
      const { clock } = this.#deps;
      const fingerprint = await within(file.fingerprint(NEVER), DISK_TIMEOUT_MS, clock, late);
      if (this.#residents.isTouched(row, fingerprint)) map.distrust();
    } catch (error) {
      object.stored.leave();
      this.#deps.health.failed(error);
    }
    return object;
  }

  /** A data file that is being opened; a disk that does not answer is not waited for. */
  async #inTime(opening: Promise<DataFile>, path: string): Promise<DataFile> {
    const { clock, tasks } = this.#deps;
    try {
      return await within(opening, DISK_TIMEOUT_MS, clock, () => notAnswering("open", path));
    } catch (error) {
      // Nobody will use what a late call opens.
      tasks.add(opening.then((file) => file.close(), () => undefined));
      throw error;
    }
  }

  async #createFile(object: CachedObject): Promise<DataFile | null> {
    const { index, directory, files, health } = this.#deps;
    const { entry, backend, path, uid, lastAccessMs } = object;
    const { version, etag, sizeBytes, modified } = entry;
    const inserted = {
      backend,
      path,
      version,
      etag,
      sizeBytes,
      modified,
      uid,
      lastAccessMs,
      pinned: false,
    };
    let row: number | null = null;
    try {
      row = await index.insert(inserted);
      const dataPath = directory.dataPath(row);
      const creating = DataFile.create(dataPath, sizeBytes, files, NEVER);
      const file = await this.#inTime(creating, dataPath);
      this.#residents.add(object.key, { row, sizeBytes }, null);
      this.#openRows.set(row, object);
      object.row = row;
      object.stored.use(file);
      return file;
    } catch (error) {
      health.failed(error);
      object.admission = { kind: "refused" };
      this.#deps.residency.removed(object.key);
      if (row !== null) this.#residents.forget(object.key, row);
      return null;
    }
  }

  async #verify(object: CachedObject): Promise<void> {
    try {
      await object.stored.verify(this.#closing.signal);
      this.#noteTrust(object);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  /** Remembers that all of the object was verified, and what its file looks like. */
  #noteTrust(object: CachedObject): void {
    const { stored: { map, file }, row } = object;
    if (!map.trusted || row === null || file === null) return;
    this.#deps.tasks.add(
      file.fingerprint(NEVER).then((fingerprint) => this.#residents.trust(row, fingerprint)),
    );
  }

  #evict(key: ObjectKey): void {
    const sizeBytes = this.#takeOut(key);
    this.#deps.metrics.evicted(Math.ceil(sizeBytes / this.#deps.settings.blockBytes));
  }

  /**
   * Takes an object out of the index and off the disk; who has it open goes on reading. Returns
   * its size.
   */
  #takeOut(key: ObjectKey): number {
    const resident = this.#residents.get(key);
    if (resident === undefined) return 0;
    const { row, sizeBytes } = resident;
    const open = this.#openRows.get(row);
    if (open !== undefined) {
      open.admission = { kind: "evicted" };
      this.#commits.forget(open);
      this.#space.linger(open.stored.map.presentBytes);
    }
    this.#residents.forget(key, row);
    return sizeBytes;
  }

  async #commitNowAndThen(): Promise<void> {
    const { clock, metrics, settings } = this.#deps;
    while (!this.#closing.signal.aborted) {
      const early = AbortSignal.any([this.#closing.signal, this.#commitSoon.signal]);
      await clock.sleep(COMMIT_MS, early).catch(() => undefined);
      this.#commitSoon = new AbortController();
      await this.#commit();
      metrics.size(this.#space.usedBytes, settings.sizeBytesMax);
    }
  }

  /** Commits what changed, in one transaction, and closes what was idle before it. */
  async #commit(): Promise<void> {
    const changes = this.#commits.take();
    const idle = [...this.#idle];
    try {
      if (changes.length > 0) await this.#deps.index.commit(changes);
    } catch (error) {
      this.#deps.health.failed(error);
    }
    for (const object of idle) {
      // Used again meanwhile, one waits for the next commit.
      if (!this.#commits.has(object) && this.#idle.delete(object)) this.#close(object);
    }
  }

  #close(object: CachedObject): void {
    this.#open.delete(openKey(object.backend, object.path, object.entry.version));
    if (object.row !== null) this.#openRows.delete(object.row);
    this.#deps.residency.release(object.key);
    if (object.admission.kind === "evicted") {
      this.#space.linger(-object.stored.map.presentBytes);
    }
    object.stored.file?.close();
  }
}

function wrongSize({ id, sizeBytes }: CachedRow): CacheDiskError {
  const reason = `its row says ${sizeBytes} bytes, which is not the size of the object`;
  return new CacheDiskError("gone", "use", `object ${id}`, reason);
}

function openKey(backend: string, path: string, version: string): string {
  return `${backend}\0${path}\0${version}`;
}
