/**
 * Who takes how much of the cache: by directory, backend, user or team. The same for a cache in
 * use and for one that nobody has mounted.
 */
import type { CachedPlace } from "./cached_places.ts";
import type { IndexReading } from "../index/reading.ts";
import type { SubtreePosition } from "../index/subtree.ts";
import { grouper, type Grouping, type Tally } from "../index/tally.ts";
import type { Totals } from "../index/rows.ts";
import type { Teams } from "../config/teams.ts";

/** What objects are added up by. */
export const USAGE_KINDS = ["path", "backend", "team", "user"] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];

/** Groups told apart; what is in more of them is added to the rest. */
const GROUPS_MAX = 10_000;

/** What is wanted. */
export interface UsageQuestion {
  /** Parts of backends; null is all of the cache. */
  readonly places: readonly CachedPlace[] | null;
  readonly by: UsageKind;
  /** Names below each place by which directories are told apart; for `path` alone. */
  readonly depth: number;
}

/** What the objects of one group and backend take. */
export interface UsageGroup extends Totals {
  /** A path, a backend, a user id or a team; null for objects of no team. */
  readonly group: string | null;
  readonly backend: string;
  readonly lastAccessMs: number;
}

/** The answer. */
export interface CacheUsage {
  /** The largest first. */
  readonly groups: readonly UsageGroup[];
  /** What is in groups that are not told apart. */
  readonly rest: Totals;
}

/** What gives groups their names. */
export interface UsageNames {
  readonly teams: Teams;
  /** The path at which a place is seen. */
  readonly shown: (place: CachedPlace) => string;
}

/** Adds up what is cached. */
export async function cacheUsage(
  index: IndexReading,
  { places, by, depth }: UsageQuestion,
  names: UsageNames,
  signal: AbortSignal,
): Promise<CacheUsage> {
  const usage = new GrowingUsage();
  for (const place of places ?? await allOf(index)) {
    const grouping = groupingFor(place, by, depth, names.teams);
    for await (const tally of talliesOf(index, place, grouping, signal)) {
      usage.add(groupOf(tally, place.backend, by, names), place.backend, tally);
    }
  }
  return usage.whole();
}

async function allOf(index: IndexReading): Promise<readonly CachedPlace[]> {
  const backends = new Set((await index.usage()).map(({ backend }) => backend));
  return [...backends].sort().map((backend) => ({ backend, path: "" }));
}

function groupingFor(
  { backend, path }: CachedPlace,
  by: UsageKind,
  depth: number,
  teams: Teams,
): Grouping {
  switch (by) {
    case "path":
      return { kind: "depth", depth: depth + (path === "" ? 0 : path.split("/").length) };
    case "team":
      return { kind: "paths", paths: teams.pathsOf(backend) };
    case "backend":
    case "user":
      return { kind: "depth", depth: 0 };
  }
}

/** Tallies of what is below a place, and of the object at it. */
async function* talliesOf(
  index: IndexReading,
  { backend, path }: CachedPlace,
  grouping: Grouping,
  signal: AbortSignal,
): AsyncGenerator<Tally, void, void> {
  const versions = path === "" ? [] : await index.versionsOf(backend, path);
  // Told apart by place, it is itself, and not the directory it is in.
  const group = grouping.kind === "depth" ? path : grouper(grouping)(path);
  for (const row of versions) yield { ...row, group, objects: 1 };
  let position: SubtreePosition | null = null;
  do {
    signal.throwIfAborted();
    const page = await index.tally(backend, path, grouping, position);
    yield* page.tallies;
    position = page.next;
  } while (position !== null);
}

function groupOf(
  { group, uid }: Tally,
  backend: string,
  by: UsageKind,
  { teams, shown }: UsageNames,
): string | null {
  switch (by) {
    case "path":
      return shown({ backend, path: group });
    case "backend":
      return backend;
    case "user":
      return String(uid);
    case "team":
      return teams.ofPath({ backend, path: group }) ?? teams.ofUser(uid);
  }
}

class GrowingUsage {
  readonly #groups = new Map<string, UsageGroup>();
  #rest: Totals = { objects: 0, cachedBytes: 0 };

  add(group: string | null, backend: string, { objects, cachedBytes, lastAccessMs }: Tally): void {
    const key = JSON.stringify([backend, group]);
    const known = this.#groups.get(key);
    if (known === undefined && this.#groups.size >= GROUPS_MAX) {
      this.#rest = sumOf(this.#rest, { objects, cachedBytes });
      return;
    }
    this.#groups.set(key, {
      group,
      backend,
      ...sumOf(known ?? { objects: 0, cachedBytes: 0 }, { objects, cachedBytes }),
      lastAccessMs: Math.max(known?.lastAccessMs ?? 0, lastAccessMs),
    });
  }

  whole(): CacheUsage {
    const groups = [...this.#groups.values()].sort((one, other) =>
      other.cachedBytes - one.cachedBytes || (nameOf(one) < nameOf(other) ? -1 : 1)
    );
    return { groups, rest: this.#rest };
  }
}

function nameOf({ group, backend }: UsageGroup): string {
  return `${group ?? ""} ${backend}`;
}

function sumOf(one: Totals, other: Totals): Totals {
  return {
    objects: one.objects + other.objects,
    cachedBytes: one.cachedBytes + other.cachedBytes,
  };
}
