/**
 * Makes open objects: as the index and their data files have them, or new ones with nothing in the
 * cache. Never fails for the cache's sake: what cannot be found there comes from the store.
 */
import type { AheadMemory } from "../readahead/ahead_memory.ts";
import type { ObjectEntry } from "../backend/backend.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { CacheCounts } from "../operations/cache_counts.ts";
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { CachedObject, type CachedObjectDeps } from "./cached_object.ts";
import type { CacheResidents } from "../residency/cache_residents.ts";
import type { CacheSettings } from "../config/cache_config.ts";
import type { DataFile } from "../disk/data_file.ts";
import type { FetchBuffers } from "../fetch/fetch_buffers.ts";
import type { FetchScheduler } from "../fetch/fetch.ts";
import type { CachedRow } from "../index/rows.ts";
import type { ObjectFiles } from "../disk/object_files.ts";
import { ReadAhead } from "../readahead/object_readahead.ts";
import type { ObjectRemovals } from "../disk/object_removals.ts";
import type { OpenObjects } from "./open_objects.ts";
import type { Logger } from "../platform/log.ts";
import type { ResidentHolds } from "../residency/resident_holds.ts";

/** Blocks ahead of a sequential reader at most, unless the configuration begins with more. */
const WINDOW_BLOCKS = 8;

/** What objects are made with. */
export interface ObjectLoaderDeps extends Omit<CachedObjectDeps, "scheduler" | "blockBytes"> {
  readonly settings: Pick<CacheSettings, "blockBytes" | "readaheadBlocks">;
  /** What all fetches together may use. */
  readonly buffers: Pick<FetchBuffers, "budgetBytes">;
  readonly index: CacheIndex;
  readonly files: ObjectFiles;
  readonly residents: CacheResidents;
  readonly removals: ObjectRemovals;
  readonly open: OpenObjects;
  readonly holds: ResidentHolds;
  readonly health: CacheHealth;
  readonly logger: Logger;
  readonly counts: CacheCounts;
  readonly ahead: AheadMemory;
}

/** Which object is opened, for whom, and by whom it is fetched. */
export interface ObjectToOpen {
  readonly scheduler: FetchScheduler;
  readonly backend: string;
  readonly path: string;
  readonly entry: ObjectEntry;
  readonly uid: number;
}

/** Loads objects. */
export class ObjectLoader {
  readonly #deps: ObjectLoaderDeps;

  constructor(deps: ObjectLoaderDeps) {
    this.#deps = deps;
  }

  /** The object as the index and its data file have it. */
  async load({ scheduler, backend, path, entry, uid }: ObjectToOpen): Promise<CachedObject> {
    const { settings, counts, health, index, clock, removals, holds } = this.#deps;
    const { blockBytes, readaheadBlocks } = settings;
    const { budgetBytes } = this.#deps.buffers;
    const windowBlocksMax = Math.max(WINDOW_BLOCKS, readaheadBlocks);
    const window = {
      blockBytes,
      windowBlocksStart: readaheadBlocks,
      windowBlocksMax,
      // No reader gets more than half of what all read-ahead together may have.
      windowBlocksLimit: Math.max(windowBlocksMax, Math.floor(budgetBytes / 4 / blockBytes)),
    };
    const counted = { readaheadHit: (blocks: number) => counts.readaheadHit(backend, blocks) };
    const ahead = new ReadAhead(entry.sizeBytes, window, counted, this.#deps.ahead);
    const deps = { ...this.#deps, scheduler, blockBytes };
    const object = new CachedObject(backend, path, entry, uid, ahead, deps);
    object.lastAccessMs = clock.wallMs();
    // Released when it is closed.
    holds.hold(object.key);
    if (health.state.kind !== "working") return object;
    try {
      const row = await index.find({ backend, path, version: entry.version });
      if (row !== null && !removals.has(row.id)) await this.#takeOver(object, row);
    } catch (error) {
      health.failed(error);
    }
    return object;
  }

  /** An object that was closed, which trusts its file only if nobody has touched that since. */
  async lookedAt(object: CachedObject): Promise<CachedObject> {
    const { stored: { file, map }, row } = object;
    if (file === null || row === null || !map.trusted) return object;
    try {
      const fingerprint = await this.#deps.files.fingerprint(file);
      if (this.#deps.residents.isTouched(row, fingerprint)) map.distrust();
    } catch (error) {
      object.stored.leave();
      this.#deps.health.failed(error);
    }
    return object;
  }

  /** Row and data file of an object that enters the cache. Rejects with `CacheDiskError`. */
  async create(object: CachedObject): Promise<DataFile> {
    const { entry, backend, path, uid, lastAccessMs } = object;
    const inserted = { ...entry, backend, path, uid, lastAccessMs, pinned: false };
    const { row, file } = await this.#deps.files.create(inserted);
    this.#deps.residents.add(object.key, { row, sizeBytes: entry.sizeBytes, backend }, null);
    this.#deps.open.enterRow(object, row);
    object.stored.use(file);
    return file;
  }

  async #takeOver(object: CachedObject, row: CachedRow): Promise<void> {
    const { index, counts, logger, residents, files, open } = this.#deps;
    const { id, sizeBytes, cachedBytes } = row;
    let file: DataFile;
    let fingerprint: string;
    // Taken out meanwhile, it is no resident any more, and not to be taken over.
    const isResident = () => residents.get(object.key)?.row === id;
    residents.add(object.key, { row: id, sizeBytes, backend: object.backend }, cachedBytes);
    try {
      ({ file, fingerprint } = await files.open(row, object.entry));
    } catch (error) {
      if (!(error instanceof CacheDiskError) || error.code !== "gone") throw error;
      if (!isResident()) return;
      const { backend, path } = object;
      const message = "Drop an object of the cache: its data file is not as it was left";
      logger.warn(message, { backend, path, error });
      counts.corrupted(backend);
      residents.forget(object.key, id);
      return;
    }
    const blocks = await index.blocksOf(id).catch((error: unknown) => {
      file.close();
      throw error;
    });
    if (!isResident()) return file.close();
    for (const block of blocks) object.stored.map.load(block);
    object.admission = { kind: "admitted", chargedBytes: cachedBytes };
    object.stored.use(file);
    object.lastAccessMs = row.lastAccessMs;
    open.enterRow(object, id);
    object.ahead.resume(residents.takeUnread(id));
    if (object.stored.map.complete && residents.isTrusted(id, fingerprint)) {
      object.stored.map.trustAll();
    }
  }
}
