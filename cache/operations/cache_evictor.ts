/**
 * Takes objects out of the cache, to make room or because they are not asked for any more. Who has
 * one open goes on reading what is there; its space comes back on the last close.
 */
import type { CacheCommits } from "../object/cache_commits.ts";
import type { CacheCounts } from "./cache_counts.ts";
import type { CachedObject } from "../object/cached_object.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import type { CacheResidents } from "../residency/cache_residents.ts";
import { residencyKey } from "../disk/cache_space.ts";
import type { OpenObjects } from "../object/open_objects.ts";
import type { ObjectKey } from "../residency/residency.ts";

/** What taking out works with. */
export interface CacheEvictorDeps {
  readonly index: Pick<CacheIndex, "versionsOf">;
  readonly residents: CacheResidents;
  readonly open: OpenObjects;
  readonly commits: CacheCommits;
  readonly counts: CacheCounts;
  readonly blockBytes: number;
  /** Bytes of an object that left while it is open, or (negative) that was closed since. */
  readonly linger: (bytes: number) => void;
}

/** Takes out. */
export class CacheEvictor {
  readonly #deps: CacheEvictorDeps;
  /** Open objects of which a later version has entered: they leave when they are closed. */
  readonly #superseded = new WeakSet<CachedObject>();
  /** What was told to `linger` of objects still open: a write under way may add to one of them. */
  readonly #lingering = new WeakMap<CachedObject, number>();

  constructor(deps: CacheEvictorDeps) {
    this.#deps = deps;
  }

  /** Takes an object out to make room. */
  evict(key: ObjectKey): void {
    const { residents, counts, blockBytes } = this.#deps;
    const backend = residents.get(key)?.backend;
    const blocks = Math.ceil(this.takeOut(key) / blockBytes);
    if (backend !== undefined) counts.evicted(backend, blocks);
  }

  /** Takes an object out of index and disk. Returns its size; 0 when it is not there. */
  takeOut(key: ObjectKey): number {
    const { residents, open, counts, commits, linger } = this.#deps;
    const resident = residents.get(key);
    if (resident === undefined) return 0;
    const { row, sizeBytes, backend } = resident;
    const object = open.withRow(row);
    const unread = object?.ahead.takeUnread() ?? residents.takeUnread(row);
    counts.readaheadWasted(backend, unread.length);
    if (object !== undefined) {
      object.admission = { kind: "evicted" };
      commits.forget(object);
      const { presentBytes } = object.stored.map;
      this.#lingering.set(object, presentBytes);
      linger(presentBytes);
    }
    residents.forget(key, row);
    return sizeBytes;
  }

  /**
   * Lets the versions go that were cached before `object`, which has just entered. Those somebody
   * has open go when they are closed; those somebody pinned stay.
   */
  async supersede({ backend, path, row }: CachedObject): Promise<void> {
    const { index, open } = this.#deps;
    if (row === null) return;
    for (const older of await index.versionsOf(backend, path)) {
      if (older.id >= row || older.pinned) continue;
      const object = open.withRow(older.id);
      if (object !== undefined && object.opens > 0) this.#superseded.add(object);
      else this.#takeOutRow(residencyKey(backend, path, older.version), older.id);
    }
  }

  /** `object` was closed by its last user. */
  closed(object: CachedObject): void {
    if (object.admission.kind === "evicted") {
      this.#deps.linger(-(this.#lingering.get(object) ?? 0));
    } else if (object.row !== null && this.#superseded.has(object)) {
      this.#takeOutRow(object.key, object.row);
    }
  }

  /** Takes the object out unless its version has entered anew. */
  #takeOutRow(key: ObjectKey, row: number): void {
    if (this.#deps.residents.get(key)?.row === row) this.takeOut(key);
  }
}
