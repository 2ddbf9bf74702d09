/**
 * What an operator does with a cache, whether it is mounted or not: see what is in it and why,
 * take things out, pin, verify and warm. Nothing here breaks who has an object open.
 *
 * Operations go through the index a page at a time, so they cost the same memory whatever the cache
 * holds, and reads find the index free in between. They reject with `CacheDiskError` where the disk
 * of the cache fails.
 */
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { CacheEvictor } from "./cache_evictor.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { type CacheResidents, keyOfRow } from "../residency/cache_residents.ts";
import { type CacheSelector, selectedRows } from "./cache_selector.ts";
import type { CacheVerifier, VerifyObserver, VerifyOutcome } from "./cache_verifier.ts";
import type { BackendCounts } from "../index/counters.ts";
import type { JobReport } from "../index/jobs.ts";
import type { CachedRow, Totals, Usage } from "../index/rows.ts";
import { describeObject, type ObjectDescription } from "./object_description.ts";
import { openName, type OpenObjects } from "../object/open_objects.ts";
import type { PinnedObjects } from "../residency/pinned_objects.ts";
import type { Clock } from "../platform/clock.ts";
import type { ObjectKey, Residency } from "../residency/residency.ts";
import { type StaleObjects, staleObjects, type StaleQuestion } from "../object/stale_objects.ts";
import { WarmJob, type WarmJobDeps } from "./warm_job.ts";

/** Rows pinned in one transaction. */
const PIN_BATCH = 500;

/** What operations work with. */
export interface CacheOperationsDeps extends WarmJobDeps {
  readonly index: CacheIndex;
  readonly residents: CacheResidents;
  readonly residency: Residency;
  readonly evictor: CacheEvictor;
  readonly pins: PinnedObjects;
  readonly open: OpenObjects;
  readonly verifier: CacheVerifier;
  readonly clock: Clock;
}

/** What was taken out. */
export interface Evicted {
  readonly objects: number;
  readonly bytes: number;
  /** Of these, bytes of objects that are open: their space comes back when they are closed. */
  readonly openBytes: number;
  /** Objects that stayed because they are pinned. */
  readonly pinned: number;
}

/** What was pinned. */
export interface Pinned {
  /** Objects that are pinned now, those that were before included. */
  readonly objects: number;
  readonly bytes: number;
  /** Of these objects, those of which something is missing. */
  readonly incomplete: number;
  /** Objects left out, because no more of the cache may be pinned. */
  readonly refused: number;
}

/** The operations on one cache. */
export class CacheOperations {
  readonly #deps: CacheOperationsDeps;

  constructor(deps: CacheOperationsDeps) {
    this.#deps = deps;
  }

  /** What the whole cache holds. */
  totals(): Promise<Totals> {
    return this.#deps.index.totals();
  }

  /** What it holds by backend and by who brought it in. */
  usage(): Promise<Usage[]> {
    return this.#deps.index.usage();
  }

  /** What was counted of each backend since the cache was made, up to half a second ago. */
  counts(): Promise<BackendCounts[]> {
    return this.#deps.index.counts();
  }

  /** Bytes that pins take together, complete or not. */
  get pinnedBytes(): number {
    return this.#deps.pins.bytes;
  }

  /** Objects that nobody has open and nobody has read for long. */
  stale(question: StaleQuestion, signal: AbortSignal): Promise<StaleObjects> {
    const { index, clock, open } = this.#deps;
    const isOpen = ({ id }: CachedRow) => (open.withRow(id)?.opens ?? 0) > 0;
    return staleObjects(index, question, clock.wallMs(), isOpen, signal);
  }

  /** Takes out what `selector` means, except what is pinned. Who has it open reads on. */
  async evict(selector: CacheSelector, signal: AbortSignal): Promise<Evicted> {
    return await this.#leaving(selector, (key) => this.#deps.evictor.takeOut(key), signal);
  }

  /** What `evict` would take out now. */
  async evictable(selector: CacheSelector, signal: AbortSignal): Promise<Evicted> {
    return await this.#leaving(selector, () => undefined, signal);
  }

  /** Adds up what `evict` means, and hands over each before the next is looked at. */
  async #leaving(
    selector: CacheSelector,
    leave: (key: ObjectKey) => void,
    signal: AbortSignal,
  ): Promise<Evicted> {
    const { residents, pins, open } = this.#deps;
    await residents.restored;
    let [objects, bytes, openBytes, pinned] = [0, 0, 0, 0];
    for await (const row of this.#rows(selector, signal)) {
      const key = keyOfRow(row);
      if (residents.get(key)?.row !== row.id) continue;
      // What is open is not stale, whenever its reader last came by the daemon.
      const object = open.withRow(row.id);
      const isOpen = object !== undefined && object.opens > 0;
      if (selector.kind === "stale" && isOpen) continue;
      if (pins.has(key)) {
        pinned += 1;
        continue;
      }
      const cachedBytes = this.#cachedBytesOf(row);
      leave(key);
      objects += 1;
      bytes += cachedBytes;
      if (isOpen) openBytes += cachedBytes;
    }
    return { objects, bytes, openBytes, pinned };
  }

  /**
   * Keeps what `selector` means in the cache until it is unpinned, over restarts. What is not
   * cached cannot be pinned; a later version of an object is another one.
   */
  async pin(selector: CacheSelector, signal: AbortSignal): Promise<Pinned> {
    const { residents, pins } = this.#deps;
    await residents.restored;
    let [objects, bytes, incomplete, refused] = [0, 0, 0, 0];
    for await (const rows of batches(this.#rows(selector, signal))) {
      let roomBytes = 0;
      const fitting = rows.filter((row) => {
        if (residents.get(keyOfRow(row))?.row !== row.id) return false;
        if (pins.has(keyOfRow(row))) return true;
        const fits = pins.hasRoom(roomBytes + row.sizeBytes);
        if (fits) roomBytes += row.sizeBytes;
        else refused += 1;
        return fits;
      });
      await this.#setPinned(fitting, true);
      for (const row of fitting) {
        const cachedBytes = this.#cachedBytesOf(row);
        objects += 1;
        bytes += cachedBytes;
        if (cachedBytes < row.sizeBytes) incomplete += 1;
      }
    }
    return { objects, bytes, incomplete, refused };
  }

  /** Ends the pins of what `selector` means. Returns how many there were. */
  async unpin(selector: CacheSelector, signal: AbortSignal): Promise<number> {
    await this.#deps.residents.restored;
    let objects = 0;
    for await (const rows of batches(this.#rows(selector, signal))) {
      const pinned = rows.filter((row) => row.pinned || this.#deps.pins.has(keyOfRow(row)));
      await this.#setPinned(pinned, false);
      objects += pinned.length;
    }
    return objects;
  }

  /** Reads back what `selector` means and compares it with its checksums; drops what is bad. */
  async verify(
    selector: CacheSelector,
    observer: VerifyObserver,
    signal: AbortSignal,
  ): Promise<VerifyOutcome> {
    await this.#deps.residents.restored;
    return await this.#deps.verifier.verify(this.#rows(selector, signal), observer, signal);
  }

  /** Reads the whole index; a damaged one begins anew. For a cache that nobody reads. */
  async checkIndex(): Promise<void> {
    await this.#deps.index.check();
  }

  /** Keeps what was reported of a job, in place of an earlier report of the same one. */
  async reportJob(report: JobReport): Promise<void> {
    await this.#deps.index.putJob(report);
  }

  /** Up to `limit` jobs that were reported, the last one first. */
  async jobs(limit: number): Promise<JobReport[]> {
    return await this.#deps.index.jobs(limit);
  }

  /** Every version of an object that is cached or open, the one cached last first. */
  async describe(backend: string, path: string): Promise<ObjectDescription[]> {
    const { index, open, residency, pins, blockBytes } = this.#deps;
    const descriptions: ObjectDescription[] = [];
    for (const row of await index.versionsOf(backend, path)) {
      const object = open.withRow(row.id) ?? null;
      const blocks = object === null ? await index.blocksOf(row.id) : [];
      const key = keyOfRow(row);
      descriptions.push(describeObject({
        row,
        object,
        blocks,
        blockBytes,
        departure: residency.describe(key)?.departure ?? null,
        pinned: pins.has(key),
      }));
    }
    return descriptions;
  }

  /** Bytes of one version that are in the cache; null when nothing of it is, or nobody can say. */
  async cachedBytes(backend: string, path: string, version: string): Promise<number | null> {
    const { index, open } = this.#deps;
    const object = await open.get(openName(backend, path, version));
    if (object !== undefined) {
      return object.row === null || object.admission.kind === "evicted"
        ? null
        : object.stored.map.presentBytes;
    }
    try {
      return (await index.find({ backend, path, version }))?.cachedBytes ?? null;
    } catch (error) {
      // A cache whose disk fails serves nothing.
      if (!(error instanceof CacheDiskError)) throw error;
      return null;
    }
  }

  /** Begins to warm: nothing that the job brings in leaves for another part of it. */
  warm(): WarmJob {
    return new WarmJob(this.#deps);
  }

  #rows(selector: CacheSelector, signal: AbortSignal): AsyncIterable<CachedRow> {
    return selectedRows(this.#deps.index, selector, this.#deps.clock.wallMs(), signal);
  }

  /** What is cached of the object of `row`, of which the index is half a second behind. */
  #cachedBytesOf(row: CachedRow): number {
    return this.#deps.open.withRow(row.id)?.stored.map.presentBytes ?? row.cachedBytes;
  }

  /** Those that left meanwhile have no row, and are not pinned. */
  async #setPinned(rows: readonly CachedRow[], pinned: boolean): Promise<void> {
    const { index, residents, pins } = this.#deps;
    if (rows.length === 0) return;
    await index.setPinned(rows.map(({ id }) => id), pinned);
    for (const row of rows) {
      const key = keyOfRow(row);
      if (!pinned) pins.unpin(key);
      else if (residents.get(key)?.row === row.id) pins.pin(key, row.sizeBytes);
    }
  }
}

async function* batches(
  rows: AsyncIterable<CachedRow>,
): AsyncGenerator<readonly CachedRow[], void, void> {
  let batch: CachedRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < PIN_BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
