/**
 * Listings of directories, shared by all who read or look up in them, kept for `staleTtlMs` and
 * within a bound on the names held together. While a store is silent they are made of what is
 * known (`offline.ts`), and believed for a moment only.
 */
import {
  BackendError,
  type DirectoryEntry,
  type Entry,
  joinPath,
} from "../../cache/backend/backend.ts";
import { type LocalFiles } from "../../cache/backend/local/backend.ts";
import { namedKind } from "../../cache/backend/local/backend.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { isKnownToken, type KnownDirectory, knownPage } from "./known_directory.ts";
import { FROM_STORE, type ListedName, Listing, type NamePage } from "./listing.ts";
import { KNOWN_FRESH_MS, type Offline } from "./offline.ts";
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
  /** The one before it, until this one is complete: what is known while nobody answers. */
  previous: Listing | null;
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
  /** Listings of what is known, while they are put together for lookups. */
  readonly #knowing = new Map<string, Promise<Listing | null>>();
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
  remainingMs({ origin, begunMs }: Listing): number {
    const { clock, staleTtlMs } = this.#deps;
    return origin.kind === "store"
      ? begunMs + staleTtlMs - clock.monotonicMs()
      : origin.loadedMs + Math.min(staleTtlMs, KNOWN_FRESH_MS) - clock.monotonicMs();
  }

  /** The listing that an opening of the directory begins with. */
  open(volume: Volume, path: string, directory: DirectoryEntry | null): Listing {
    const key = keyOf(volume, path);
    const stamp = volume.files === null ? null : this.#stampOf(directory);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#isCurrent(kept, volume, stamp)) {
      this.#keep(key, kept);
      return kept.listing;
    }
    const listing = new Listing(
      this.#deps.clock.monotonicMs(),
      this.#deps.entriesMax,
      (token, whole) => this.#load(volume, path, token, whole),
      (complete) => this.#completed(volume, path, complete),
    );
    this.#keep(key, { listing, stamp, previous: lastOf(kept, volume.offline) });
    this.#grow(LISTING_NAMES);
    return listing;
  }

  /**
   * What is known of `name` in `directory` while the store is silent, where a null entry means that
   * it is not there; null when nobody knows.
   */
  async known(
    volume: Volume,
    offline: Offline,
    directory: string,
    name: string,
  ): Promise<{ readonly entry: Entry | null } | null> {
    const key = keyOf(volume, directory);
    const knowing = this.#knowing.get(key) ??
      this.#knownListing(volume, offline, directory).finally(() => this.#knowing.delete(key));
    this.#knowing.set(key, knowing);
    const listed = (await knowing)?.find(name) ?? { kind: "unknown" };
    if (listed.kind === "found") return { entry: listed.entry };
    if (listed.kind === "absent") return { entry: null };
    const entry = await offline.names.cachedAt(volume.name, joinPath(directory, name));
    return entry === null ? null : { entry };
  }

  /** Forgets what is known of `path`: something in it turned out to have changed. */
  invalidate(volume: Volume, path: string): void {
    this.#kept.delete(keyOf(volume, path));
  }

  async #load(
    volume: Volume,
    path: string,
    token: string | null,
    whole: boolean,
  ): Promise<NamePage> {
    const { files, offline } = volume;
    const { signal } = this.#deps;
    let page: NamePage;
    if (files !== null) page = await loadLocal(files, volume, path, token, signal);
    else if (offline === null) page = await this.#loadStored(volume, path, token, signal);
    else page = await this.#loadOrKnow(volume, offline, path, token, whole);
    this.#grow(page.names.length);
    return page;
  }

  /** From the store, or else the rest of the directory from what is known of it. */
  async #loadOrKnow(
    volume: Volume,
    offline: Offline,
    path: string,
    token: string | null,
    whole: boolean,
  ): Promise<NamePage> {
    if (isKnownToken(token)) {
      const page = await knownPage(this.#directory(volume, offline, path), token, null);
      if (page !== null) return page;
      const reason = "what was known of it cannot be read any more, and the store is silent";
      throw new BackendError("unavailable", volume.name, "list", path, reason);
    }
    // Names that the store has listed already come again, which only a whole listing notices.
    const known = () => whole ? this.#knownPage(volume, offline, path) : Promise.resolve(null);
    const request = (own: AbortSignal) => this.#loadStored(volume, path, token, own);
    return (await offline.ask(request, known, this.#deps.signal)).value;
  }

  async #loadStored(
    volume: Volume,
    path: string,
    token: string | null,
    signal: AbortSignal,
  ): Promise<NamePage> {
    const page = await volume.backend.list(path, token, signal);
    if (page.unlistable > 0) this.#deps.onUnlistable(volume.name, path, page.unlistable);
    return { next: page.next, names: page.entries.map(listedName), origin: FROM_STORE };
  }

  /** A listing of what is known, the same for a whole silence. */
  async #knownListing(volume: Volume, offline: Offline, path: string): Promise<Listing | null> {
    const key = keyOf(volume, path);
    const kept = this.#kept.get(key);
    const { origin } = kept?.listing ?? {};
    if (kept !== undefined && origin?.kind === "known" && origin.episode === offline.episode) {
      return kept.listing;
    }
    const { clock, entriesMax } = this.#deps;
    const first = await this.#knownPage(volume, offline, path);
    if (first === null) return null;
    const load = (token: string | null) =>
      token === null ? Promise.resolve(first) : this.#load(volume, path, token, false);
    const listing = new Listing(clock.monotonicMs(), entriesMax, load);
    await listing.loadTo(0);
    this.#keep(key, { listing, stamp: null, previous: lastOf(this.#kept.get(key), offline) });
    this.#grow(listing.length + LISTING_NAMES);
    return listing;
  }

  #knownPage(volume: Volume, offline: Offline, path: string): Promise<NamePage | null> {
    const directory = this.#directory(volume, offline, path);
    const last = lastOf(this.#kept.get(keyOf(volume, path)), offline);
    const entries = last?.entries() ?? null;
    if (last === null || entries === null) return knownPage(directory, null, null);
    const { clock } = this.#deps;
    const fetchedMs = clock.wallMs() - (clock.monotonicMs() - last.begunMs);
    return knownPage(directory, null, { entries, fetchedMs, origin: last.origin });
  }

  #directory(volume: Volume, { names, episode }: Offline, path: string): KnownDirectory {
    const { clock, entriesMax } = this.#deps;
    return { names, episode, backend: volume.name, path, entriesMax, clock };
  }

  /** Lets what is known of the directory outlive this process. */
  #completed(volume: Volume, path: string, listing: Listing): void {
    const kept = this.#kept.get(keyOf(volume, path));
    const previous = kept?.listing === listing ? kept.previous : null;
    if (kept?.listing === listing) kept.previous = null;
    if (volume.offline === null || listing.origin.kind !== "store" || !listing.isWhole) return;
    const { clock } = this.#deps;
    volume.offline.names.keep(volume.name, path, {
      count: listing.length,
      fetchedMs: clock.wallMs() - (clock.monotonicMs() - listing.begunMs),
      entries: () =>
        previous?.isKept === true && listing.hasSameEntries(previous) ? null : listing.entries(),
      kept: () => {
        listing.isKept = true;
      },
    });
  }

  #keep(key: string, kept: Kept): void {
    // The newest place in the order of use.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
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
    for (const kept of this.#kept.values()) held += namesIn(kept);
    for (const [key, kept] of this.#kept) {
      if (held <= this.#deps.entriesMax) break;
      held -= namesIn(kept);
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
  return { names, next: page.next, origin: FROM_STORE };
}

/** The last whole listing by the store, or what was made of it in this silence. */
function lastOf(kept: Kept | undefined, offline: Offline | null): Listing | null {
  if (kept === undefined || offline === null) return null;
  for (const listing of [kept.listing, kept.previous]) {
    if (listing === null || !listing.isWhole || !listing.isComplete) continue;
    const { origin } = listing;
    if (origin.kind === "store") return listing;
    if (origin.episode === offline.episode && origin.unlisted === "absent") return listing;
  }
  return null;
}

function namesIn({ listing, previous }: Kept): number {
  return listing.length + (previous?.length ?? 0) + LISTING_NAMES;
}

function listedName(entry: Entry): ListedName {
  return { name: entry.name, kind: entry.kind, entry };
}

function keyOf(volume: Volume, path: string): string {
  return `${volume.name}\0${path}`;
}
