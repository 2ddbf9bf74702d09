/**
 * What changed in the cache and is not in the index yet: gathered, and committed together.
 *
 * A change is noted after the write it tells of has returned, so a commit never announces bytes
 * that are not in their file.
 */
import type { CachedObject } from "./cached_object.ts";
import { ROW_CHUNKS } from "./chunk_map.ts";
import type { ObjectChange } from "../index/rows.ts";

/** Changes of the index that wait for their commit. */
export class CacheCommits {
  /** Changed rows of blocks, by object; none where only the time of access moved. */
  readonly #dirty = new Map<CachedObject, Set<number>>();

  /** Chunks from `first` to `last` of `object` changed. */
  chunks(object: CachedObject, first: number, last: number): void {
    const rows = this.#rowsOf(object);
    for (let row = rowOf(first); row <= rowOf(last); row += 1) rows.add(row);
  }

  /** `object` was read. */
  accessed(object: CachedObject): void {
    if (object.row !== null) this.#rowsOf(object);
  }

  /** Whether a change of `object` waits. */
  has(object: CachedObject): boolean {
    return this.#dirty.has(object);
  }

  /** `object` left the cache. */
  forget(object: CachedObject): void {
    this.#dirty.delete(object);
  }

  /** Takes everything that waits. */
  take(): ObjectChange[] {
    const changes = [...this.#dirty].flatMap(([object, rows]) =>
      object.row === null ? [] : [{
        id: object.row,
        blocks: [...rows].map((row) => object.stored.map.row(row)),
        cachedBytes: object.stored.map.presentBytes,
        lastAccessMs: object.lastAccessMs,
      }]
    );
    this.#dirty.clear();
    return changes;
  }

  #rowsOf(object: CachedObject): Set<number> {
    let rows = this.#dirty.get(object);
    if (rows === undefined) {
      rows = new Set();
      this.#dirty.set(object, rows);
    }
    return rows;
  }
}

function rowOf(chunk: number): number {
  return Math.floor(chunk / ROW_CHUNKS);
}
