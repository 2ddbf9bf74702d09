/**
 * What is known of the names of stores that do not answer: the last listing of each directory, the
 * objects that are cached, and since when a store has been silent. Kept in the index, so that a
 * mount that is started during an outage knows it too.
 *
 * Listings are written some time after they were loaded and a few at a time: a walk over a tree
 * does not feel it. What does not fit the queue is left out, and written when it is listed again.
 */
import { baseName, type Entry, type ListPage } from "../backend/backend.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { CacheHealth } from "../disk/cache_health.ts";
import type { CacheIndex } from "./cache_index.ts";
import { objectEntry } from "./children.ts";
import type { StoredListing } from "./listings.ts";
import type { Clock } from "../platform/clock.ts";
import type { TaskGroup } from "../platform/limit.ts";

/** A walk lists most of its directories within this time, and is over before they are written. */
const DELAY_MS = 1_000;
/** Names written at once, about 2 ms of the event loop, and the pause that makes it a tenth. */
const SLICE_NAMES = 2_000;
const PAUSE_MS = 20;
/** Names that may wait to be written, and one directory more; they are held in memory. */
const QUEUED_NAMES_MAX = 100_000;
/** Handing more to the index at once would hold up the event loop for too long. */
const LISTING_NAMES_MAX = 100_000;
/** Where it is kept since when a store is silent: no directory has a slash at its end. */
const SILENCE_PATH = "/";

/** A directory that was listed as a whole. */
export interface NamesToKeep {
  readonly count: number;
  /** When it was listed, in milliseconds since the Unix epoch. */
  readonly fetchedMs: number;
  /** Asked for when its turn has come; null when the index has them already. */
  entries(): readonly Entry[] | null;
  /** The index has them now. */
  kept(): void;
}

/** Names that outlive their store's answers. Where the cache's disk fails, nothing is known. */
export interface KnownNames {
  /** Keeps the listing of `path`, soon. */
  keep(backend: string, path: string, names: NamesToKeep): void;
  /** The last complete listing of `path`. */
  listing(backend: string, path: string): Promise<StoredListing | null>;
  /** What of `directory` is cached, a page at a time: see `Backend.list`. */
  cached(backend: string, directory: string, token: string | null): Promise<ListPage | null>;
  /** What is cached at `path` or below it. */
  cachedAt(backend: string, path: string): Promise<Entry | null>;
  /** Since when the store of `backend` was silent when an earlier process asked it last. */
  silentSinceMs(backend: string): Promise<number | null>;
  /** Keeps since when the store is silent; null when it answers. */
  setSilentSince(backend: string, sinceMs: number | null): void;
}

/** What known names are kept with. */
export interface IndexedNamesDeps {
  readonly index: Pick<
    CacheIndex,
    "putListing" | "listing" | "removeListing" | "children" | "versionsOf"
  >;
  readonly health: Pick<CacheHealth, "state" | "failed">;
  readonly clock: Clock;
  readonly tasks: TaskGroup;
}

interface Queued {
  readonly backend: string;
  readonly path: string;
  readonly names: NamesToKeep;
}

/** Cached objects told at once. */
const PAGE_ENTRIES = 1_000;

/** Known names in the index of a cache. */
export class IndexedNames implements KnownNames, AsyncDisposable {
  readonly #deps: IndexedNamesDeps;
  readonly #queue = new Map<string, Queued>();
  readonly #closing = new AbortController();
  #queuedNames = 0;
  #writing: Promise<void> | null = null;

  constructor(deps: IndexedNamesDeps) {
    this.#deps = deps;
  }

  keep(backend: string, path: string, names: NamesToKeep): void {
    if (this.#closing.signal.aborted || names.count > LISTING_NAMES_MAX) return;
    const key = `${backend}\0${path}`;
    this.#take(key);
    if (this.#queuedNames >= QUEUED_NAMES_MAX) return;
    this.#queue.set(key, { backend, path, names });
    // A directory without names takes its place in the queue, too.
    this.#queuedNames += names.count + 1;
    if (this.#writing !== null) return;
    this.#writing = this.#writeSlowly();
    this.#deps.tasks.add(this.#writing);
  }

  listing(backend: string, path: string): Promise<StoredListing | null> {
    return this.#ask(async (index) => {
      const listing = await index.listing(backend, path);
      return listing?.complete === true ? listing : null;
    });
  }

  cached(backend: string, directory: string, token: string | null): Promise<ListPage | null> {
    return this.#ask((index) => index.children(backend, directory, token, PAGE_ENTRIES));
  }

  cachedAt(backend: string, path: string): Promise<Entry | null> {
    return this.#ask(async (index) => {
      const below = await index.children(backend, path, null, 1);
      if (below.entries.length > 0) {
        return { kind: "directory", name: baseName(path), modified: null, posix: null };
      }
      const [newest] = await index.versionsOf(backend, path);
      return newest === undefined ? null : objectEntry(newest);
    });
  }

  async silentSinceMs(backend: string): Promise<number | null> {
    const marker = await this.#ask((index) => index.listing(backend, SILENCE_PATH));
    return marker?.fetchedMs ?? null;
  }

  setSilentSince(backend: string, sinceMs: number | null): void {
    const set = (index: IndexedNamesDeps["index"]) =>
      sinceMs === null
        ? index.removeListing(backend, SILENCE_PATH)
        : index.putListing(backend, SILENCE_PATH, {
          fetchedMs: Math.floor(sinceMs),
          complete: false,
          entries: [],
        });
    this.#deps.tasks.add(this.#ask(set).then(() => undefined));
  }

  /** Writes what waits. The index is the caller's to close. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    while (this.#queue.size > 0) await this.#writeSlice();
  }

  async #writeSlowly(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#closing;
    try {
      await clock.sleep(DELAY_MS, signal);
      while (this.#queue.size > 0) {
        await this.#writeSlice();
        await clock.sleep(PAUSE_MS, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#writing = null;
    }
  }

  async #writeSlice(): Promise<void> {
    let names = 0;
    const writes: Promise<void>[] = [];
    for (const [key, queued] of this.#queue) {
      if (names > 0 && names + queued.names.count > SLICE_NAMES) break;
      names += queued.names.count + 1;
      this.#take(key);
      writes.push(this.#write(queued));
    }
    await Promise.all(writes);
  }

  async #write({ backend, path, names }: Queued): Promise<void> {
    const entries = names.entries();
    if (entries === null) return names.kept();
    const listing = { fetchedMs: Math.floor(names.fetchedMs), complete: true, entries };
    const written = await this.#ask(async (index) => {
      await index.putListing(backend, path, listing);
      return "written" as const;
    });
    if (written !== null) names.kept();
  }

  #take(key: string): void {
    const queued = this.#queue.get(key);
    if (queued === undefined) return;
    this.#queue.delete(key);
    this.#queuedNames -= queued.names.count + 1;
  }

  /** What the index answers; null when its disk fails, which the health of the cache is told. */
  async #ask<T>(call: (index: IndexedNamesDeps["index"]) => Promise<T>): Promise<T | null> {
    const { index, health } = this.#deps;
    if (health.state.kind !== "working") return null;
    try {
      return await call(index);
    } catch (error) {
      if (!(error instanceof CacheDiskError)) throw error;
      health.failed(error);
      return null;
    }
  }
}
