/**
 * Listings of directories, shared by all who read or look up in them, kept for `staleTtlMs` and
 * within a bound on the names held together.
 */
import { type DirectoryEntry, joinPath } from "../../cache/backend/backend.ts";
import { type LocalFiles } from "../../cache/backend/local.ts";
import { namedKind } from "../../cache/backend/local.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { type ListedName, Listing, type NamePage } from "./listing.ts";
import type { Volume } from "./volume.ts";

/** What a listing takes in memory besides its names, in names. */
const LISTING_NAMES = 4;
/** Listings are counted anew whenever this part of the bound has been added to them. */
const COUNTED_PART = 1 / 16;
/** A change within this time of a listing's start may carry the same time stamp as before it. */
const STAMP_GRANULARITY_MS = 50;

interface Kept {
  readonly listing: Listing;
  /** Identifies the state of a local directory; null for stores, which time alone makes stale. */
  readonly stamp: string | null;
}

/** What listings need from outside. */
export interface ListingsDeps {
  readonly clock: Clock;
  readonly staleTtlMs: number;
  /** Names held together; a single directory with more keeps one page. */
  readonly entriesMax: number;
  /** Counts keys that cannot be shown. */
  readonly onUnlistable: (volume: string, directory: string, keys: number) => void;
  /** Aborts page loads when the mount ends. */
  readonly signal: AbortSignal;
}

/** The listings in memory, least recently used first. */
export class Listings {
  readonly #deps: ListingsDeps;
  readonly #kept = new Map<string, Kept>();
  /** Names added since the listings were last counted, which takes a walk over all of them. */
  #uncounted = 0;

  constructor(deps: ListingsDeps) {
    this.#deps = deps;
  }

  /** The listing that lookups in `path` may use; null when there is none that is fresh. */
  fresh(volume: Volume, path: string): Listing | null {
    const kept = this.#kept.get(keyOf(volume, path));
    return kept !== undefined && this.remainingMs(kept.listing) > 0 ? kept.listing : null;
  }

  /** Now, on the monotonic clock by which listings age. */
  get nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  /** How long `listing` may still be believed. */
  remainingMs(listing: Listing): number {
    return listing.begunMs + this.#deps.staleTtlMs - this.#deps.clock.monotonicMs();
  }

  /** The listing that an opening of the directory begins with. */
  open(volume: Volume, path: string, directory: DirectoryEntry | null): Listing {
    const key = keyOf(volume, path);
    const stamp = volume.files === null ? null : this.#stampOf(directory);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#isCurrent(kept, volume, stamp)) {
      // The newest place in the order of use.
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept.listing;
    }
    const listing = new Listing(
      this.#deps.clock.monotonicMs(),
      this.#deps.entriesMax,
      (token) => this.#load(volume, path, token),
    );
    this.#kept.delete(key);
    this.#kept.set(key, { listing, stamp });
    this.#grow(LISTING_NAMES);
    return listing;
  }

  /** Forgets what is known of `path`: something in it turned out to have changed. */
  invalidate(volume: Volume, path: string): void {
    this.#kept.delete(keyOf(volume, path));
  }

  async #load(volume: Volume, path: string, token: string | null): Promise<NamePage> {
    const page = volume.files === null
      ? await this.#loadStored(volume, path, token)
      : await loadLocal(volume.files, volume, path, token, this.#deps.signal);
    this.#grow(page.names.length);
    return page;
  }

  async #loadStored(volume: Volume, path: string, token: string | null): Promise<NamePage> {
    const page = await volume.backend.list(path, token, this.#deps.signal);
    if (page.unlistable > 0) this.#deps.onUnlistable(volume.name, path, page.unlistable);
    return {
      next: page.next,
      names: page.entries.map((entry) => ({ name: entry.name, kind: entry.kind, entry })),
    };
  }

  #isCurrent(kept: Kept, volume: Volume, stamp: string | null): boolean {
    // A local directory tells by its own times whether it changed.
    if (volume.files !== null) return stamp !== null && kept.stamp === stamp;
    return this.remainingMs(kept.listing) > 0;
  }

  /** Null when the directory changed so recently that its next change may not show. */
  #stampOf(directory: DirectoryEntry | null): string | null {
    const modified = directory?.modified ?? null;
    const changed = directory?.posix?.changed ?? null;
    if (modified === null || changed === null) return null;
    const changedMs = changed.seconds * 1_000 + changed.nanoseconds / 1e6;
    if (this.#deps.clock.wallMs() - changedMs < STAMP_GRANULARITY_MS) return null;
    return [modified, changed].map((time) => `${time.seconds}.${time.nanoseconds}`).join(" ");
  }

  #grow(names: number): void {
    this.#uncounted += names;
    if (this.#uncounted < this.#deps.entriesMax * COUNTED_PART) return;
    this.#uncounted = 0;
    this.#evict();
  }

  #evict(): void {
    let held = 0;
    for (const { listing } of this.#kept.values()) held += listing.length + LISTING_NAMES;
    for (const [key, { listing }] of this.#kept) {
      if (held <= this.#deps.entriesMax) break;
      held -= listing.length + LISTING_NAMES;
      this.#kept.delete(key);
    }
  }
}

async function loadLocal(
  files: LocalFiles,
  volume: Volume,
  path: string,
  token: string | null,
  signal: AbortSignal,
): Promise<NamePage> {
  const page = await files.names(path, token);
  const names: ListedName[] = [];
  for (const { name, type } of page.names) {
    const kind = namedKind(type);
    if (kind !== null) {
      names.push({ name, kind, entry: null });
      continue;
    }
    // A file system without d_type.
    const entry = await volume.backend.stat(joinPath(path, name), signal);
    if (entry !== null) names.push({ name, kind: entry.kind, entry: null });
  }
  return { names, next: page.next };
}

function keyOf(volume: Volume, path: string): string {
  return `${volume.name}\0${path}`;
}
