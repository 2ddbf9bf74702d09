/**
 * A directory of a store that does not answer, from what is known of it: its last listing with
 * what was cached since, or else the cached objects alone.
 */
import type { Entry, ListPage, ObjectEntry } from "../../cache/backend/backend.ts";
import type { KnownNames } from "../../cache/index/known_names.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { NamePage, PageOrigin } from "./listing.ts";

/** A listing of a whole directory, from memory. */
export interface LastListing {
  /** In milliseconds since the Unix epoch. */
  readonly fetchedMs: number;
  readonly entries: readonly Entry[];
  readonly origin: PageOrigin;
}

/** A directory nobody can be asked about. */
export interface KnownDirectory {
  readonly names: KnownNames;
  readonly backend: string;
  readonly path: string;
  /** Counts the silences of the store. */
  readonly episode: number;
  /** Cached objects at most that a listing is compared with. */
  readonly entriesMax: number;
  readonly clock: Clock;
}

/** Begins the token of a page of what is known, which no token of a store begins with. */
const KNOWN_TOKEN = "\0";

/** Whether a page of what is known gave `token` for the next one. */
export function isKnownToken(token: string | null): token is string {
  return token !== null && token.startsWith(KNOWN_TOKEN);
}

/**
 * The page that `token` names, null the first; null when nothing is known of the directory.
 *
 * @param last The last listing where it is in memory; the index is asked otherwise.
 */
export async function knownPage(
  directory: KnownDirectory,
  token: string | null,
  last: LastListing | null,
): Promise<NamePage | null> {
  const { names, backend, path, episode } = directory;
  if (token === null) {
    // Made in this silence, so that it has what was cached, too.
    if (last?.origin.kind === "known" && last.origin.episode === episode) {
      return pageOf(directory, last.entries, null, "absent");
    }
    const listing = last ?? await names.listing(backend, path);
    if (listing !== null) return await withCached(directory, listing);
  }
  const page = await names.cached(backend, path, token?.slice(KNOWN_TOKEN.length) ?? null);
  if (page === null || (token === null && page.entries.length === 0)) return null;
  const next = page.next === null ? null : KNOWN_TOKEN + page.next;
  return pageOf(directory, page.entries, next, "unknown");
}

function pageOf(
  { episode, clock }: KnownDirectory,
  entries: Iterable<Entry>,
  next: string | null,
  unlisted: "absent" | "unknown",
): NamePage {
  const names = Array.from(entries, (entry) => ({ name: entry.name, kind: entry.kind, entry }));
  return {
    names,
    next,
    origin: { kind: "known", episode, unlisted, loadedMs: clock.monotonicMs() },
  };
}

/** `listing` with versions that were cached after it, and objects that are newer than it. */
async function withCached(
  directory: KnownDirectory,
  { entries: listed, fetchedMs }: Pick<LastListing, "entries" | "fetchedMs">,
): Promise<NamePage> {
  const { names, backend, path, entriesMax } = directory;
  const entries = new Map(listed.map((entry) => [entry.name, entry]));
  let compared = 0;
  let token: string | null = null;
  do {
    const page: ListPage | null = await names.cached(backend, path, token);
    for (const cached of page?.entries ?? []) {
      if (isNewer(cached, entries.get(cached.name), fetchedMs)) entries.set(cached.name, cached);
    }
    compared += page?.entries.length ?? 0;
    token = page?.next ?? null;
  } while (token !== null && compared < entriesMax);
  return pageOf(directory, entries.values(), null, token === null ? "absent" : "unknown");
}

/** Whether what is cached is a later state of its name than what was `listed`. */
function isNewer(cached: Entry, listed: Entry | undefined, fetchedMs: number): boolean {
  // Times of directories are not known: what is cached in one is worth showing.
  if (cached.kind === "directory") return listed === undefined;
  if (cached.kind !== "object" || listed?.kind === "directory") return false;
  // Cached, and gone by the time of the listing; or made after it.
  if (listed === undefined) return modifiedMs(cached) > fetchedMs;
  return listed.kind === "object" && modifiedMs(cached) > modifiedMs(listed);
}

function modifiedMs({ modified }: ObjectEntry): number {
  return modified.seconds * 1_000 + modified.nanoseconds / 1e6;
}
