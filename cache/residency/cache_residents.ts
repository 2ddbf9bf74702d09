/**
 * The object versions on the cache's disk: their rows and data files, and which of them this
 * process has verified as a whole.
 */
import type { CacheCounts } from "../operations/cache_counts.ts";
import type { CacheDirectory } from "../disk/cache_directory.ts";
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { residencyKey } from "../disk/cache_space.ts";
import type { DataFileDeps } from "../disk/data_file.ts";
import type { CachedRow } from "../index/rows.ts";
import type { ObjectRemovals } from "../disk/object_removals.ts";
import type { PinnedObjects } from "./pinned_objects.ts";
import type { Logger } from "../platform/log.ts";
import { reclaim } from "../disk/reclaim.ts";
import type { ObjectKey, Residency } from "./residency.ts";

/** What an object on disk is known by. */
export interface Resident {
  readonly row: number;
  readonly sizeBytes: number;
  readonly backend: string;
}

/** Objects whose file is not the one that was left. */
interface Damaged {
  objects: number;
  first: CachedRow | null;
}

/** What residents are kept with. */
export interface CacheResidentsDeps {
  readonly directory: CacheDirectory;
  readonly index: CacheIndex;
  readonly residency: Residency;
  readonly health: CacheHealth;
  readonly files: DataFileDeps;
  readonly removals: ObjectRemovals;
  readonly pins: PinnedObjects;
  readonly counts: Pick<CacheCounts, "corrupted">;
  readonly logger: Logger;
}

/** Who is on disk. */
export class CacheResidents {
  readonly #deps: CacheResidentsDeps;
  readonly #residents = new Map<ObjectKey, Resident>();
  /** Rows whose file was verified as a whole by this process, and how it looked then. */
  readonly #trusted = new Map<number, string>();
  /** Blocks that were fetched ahead of a reader who has not come, by row. */
  readonly #unread = new Map<number, readonly number[]>();
  readonly #restored = Promise.withResolvers<void>();

  constructor(deps: CacheResidentsDeps) {
    this.#deps = deps;
  }

  /** Resolves when what an earlier process left is known, or cannot be. */
  get restored(): Promise<void> {
    return this.#restored.promise;
  }

  get(key: ObjectKey): Resident | undefined {
    return this.#residents.get(key);
  }

  /** `key` is on disk; `foundBytes` of it were found there by a look at its row. */
  add(key: ObjectKey, resident: Resident, foundBytes: number | null): void {
    if (this.#residents.has(key)) return;
    this.#residents.set(key, resident);
    if (foundBytes !== null) this.#deps.residency.restore(key, foundBytes);
  }

  /** All of the file that looks like `fingerprint` has its checksums. */
  trust(row: number, fingerprint: string): void {
    this.#trusted.set(row, fingerprint);
  }

  /** Whether all of the file of `row` was verified by this process. */
  isVerified(row: number): boolean {
    return this.#trusted.has(row);
  }

  /** Whether the file of `row` is still the one that was verified. */
  isTrusted(row: number, fingerprint: string): boolean {
    return this.#trusted.get(row) === fingerprint;
  }

  /** Whether the file of `row` was verified and looks different now. */
  isTouched(row: number, fingerprint: string): boolean {
    const trusted = this.#trusted.get(row);
    return trusted !== undefined && trusted !== fingerprint;
  }

  /** Keeps in mind which blocks of `row` were fetched ahead and not read. */
  keepUnread(row: number, blocks: readonly number[]): void {
    if (blocks.length > 0) this.#unread.set(row, blocks);
  }

  /** Those blocks, which are the caller's to account for. */
  takeUnread(row: number): readonly number[] {
    const blocks = this.#unread.get(row) ?? [];
    this.#unread.delete(row);
    return blocks;
  }

  distrust(row: number): void {
    this.#trusted.delete(row);
  }

  /** Takes an object off the disk. */
  forget(key: ObjectKey, row: number): void {
    this.#residents.delete(key);
    this.#trusted.delete(row);
    this.#deps.pins.unpin(key);
    this.#deps.residency.removed(key);
    this.#deps.removals.add(row);
  }

  #found(row: CachedRow, backend: string): void {
    const { id, sizeBytes, cachedBytes, pinned } = row;
    const key = keyOfRow(row);
    this.add(key, { row: id, sizeBytes, backend }, cachedBytes);
    if (pinned && this.get(key)?.row === id) this.#deps.pins.pin(key, sizeBytes);
  }

  /** Takes over what an earlier process left, then puts right what its end left undone. */
  async restore(signal: AbortSignal): Promise<void> {
    const { index, directory, files, health, residency, pins, removals } = this.#deps;
    const damaged: Damaged = { objects: 0, first: null };
    // Each row comes with a copy of the name, and a million rows with a million.
    const names = new Map<string, string>();
    const interned = (name: string): string => {
      const known = names.get(name);
      if (known === undefined) names.set(name, name);
      return known ?? name;
    };
    try {
      for await (const row of index.rows(signal)) {
        // Evicted since the page of rows was read, it is not there any more.
        if (removals.has(row.id)) continue;
        this.#found(row, interned(row.backend));
      }
      this.#restored.resolve();
      const onDropped = (row: CachedRow) => {
        this.#damaged(row, damaged);
        // The same version may have entered anew meanwhile.
        if (this.get(keyOfRow(row))?.row !== row.id) return;
        this.#residents.delete(keyOfRow(row));
        pins.unpin(keyOfRow(row));
        residency.removed(keyOfRow(row));
      };
      // Charged as what it takes until it is fetched again, which writes to the same place.
      const onUnannounced = (row: CachedRow, allocatedBytes: number) => {
        const key = keyOfRow(row);
        const bytes = Math.min(allocatedBytes, row.sizeBytes);
        const standing = residency.describe(key);
        if (standing !== null && standing.chargeBytes < bytes) residency.restore(key, bytes);
      };
      await reclaim({ directory, index, files, onDropped, onUnannounced }, signal);
    } catch (error) {
      if (!signal.aborted) health.failed(error);
    } finally {
      this.#restored.resolve();
      this.#tell(damaged);
    }
  }

  #damaged(row: CachedRow, found: Damaged): void {
    found.objects += 1;
    found.first ??= row;
    this.#deps.counts.corrupted(row.backend);
  }

  /** In one line for all: of a data directory that was lost there are a million. */
  #tell({ objects, first }: Damaged): void {
    if (first === null) return;
    const { backend, path } = first;
    const message = "Drop objects of the cache: their data files are not as they were left";
    this.#deps.logger.warn(message, { objects, backend, path });
  }
}

/** The key of the object that `row` stands for. */
export function keyOfRow({ backend, path, version }: CachedRow): ObjectKey {
  return residencyKey(backend, path, version);
}
