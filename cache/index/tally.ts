/**
 * Who takes how much of the cache: objects of a subtree added up by place and by user, a page of
 * the index at a time.
 */
import type { DatabaseSync } from "node:sqlite";
import { integer, text, type Totals } from "./rows.ts";
import { ancestor, beginning, endOf, type SubtreePosition } from "./subtree.ts";

/** Which objects of a backend are added up together. */
export type Grouping =
  /** Those in one directory, of at most `depth` segments. */
  | { readonly kind: "depth"; readonly depth: number }
  /** Those below the longest of `paths` that is above them; `""` where none is. */
  | { readonly kind: "paths"; readonly paths: readonly string[] };

/** What the objects of one group take that one user brought in. */
export interface Tally extends Totals {
  readonly group: string;
  readonly uid: number;
  /** Of the one read last. */
  readonly lastAccessMs: number;
}

/** A part of the tallies of a subtree; the same group may come again in the next one. */
export interface TallyPage {
  readonly tallies: readonly Tally[];
  readonly next: SubtreePosition | null;
}

/** Tallies of one open database. */
export class Tallies {
  readonly #rows;

  constructor(database: DatabaseSync) {
    this.#rows = database.prepare(
      `SELECT path, version, uid, cached_bytes, last_access_ms FROM objects
       WHERE backend = ? AND (path, version) > (?, ?) AND path < ?
       ORDER BY path, version LIMIT ?`,
    );
  }

  /** Adds up to `limit` objects below `directory` together, after `position`. */
  page(
    backend: string,
    directory: string,
    grouping: Grouping,
    position: SubtreePosition | null,
    limit: number,
  ): TallyPage {
    const { path, version } = position ?? beginning(directory);
    const rows = this.#rows.all(backend, path, version, endOf(directory), limit);
    const groupOf = grouper(grouping);
    const tallies = new Map<string, Tally>();
    for (const row of rows) {
      addTally(tallies, {
        group: groupOf(text(row, "path")),
        uid: integer(row, "uid"),
        objects: 1,
        cachedBytes: integer(row, "cached_bytes"),
        lastAccessMs: integer(row, "last_access_ms"),
      });
    }
    const last = rows.at(-1);
    return {
      tallies: [...tallies.values()],
      next: last === undefined || rows.length < limit
        ? null
        : { path: text(last, "path"), version: text(last, "version") },
    };
  }
}

/** Adds `tally` to what `tallies` have of its group and user. */
export function addTally(tallies: Map<string, Tally>, tally: Tally): void {
  const key = `${tally.uid} ${tally.group}`;
  const known = tallies.get(key);
  tallies.set(key, known === undefined ? tally : sumOf(known, tally));
}

function sumOf(one: Tally, other: Tally): Tally {
  return {
    ...one,
    objects: one.objects + other.objects,
    cachedBytes: one.cachedBytes + other.cachedBytes,
    lastAccessMs: Math.max(one.lastAccessMs, other.lastAccessMs),
  };
}

/** The group of a path. */
export function grouper(grouping: Grouping): (path: string) => string {
  if (grouping.kind === "depth") return directoriesOf(grouping.depth);
  const paths = new Set(grouping.paths);
  return (path) => {
    for (let above = path;;) {
      if (paths.has(above) || above === "") return above;
      above = above.slice(0, Math.max(0, above.lastIndexOf("/")));
    }
  };
}

/** Paths come in order: most are in the directory of the one before. */
function directoriesOf(depth: number): (path: string) => string {
  let [parent, group] = ["", ""];
  return (path) => {
    const end = path.lastIndexOf("/") + 1;
    if (end !== parent.length || !path.startsWith(parent)) {
      parent = path.slice(0, end);
      group = ancestor(path, depth);
    }
    return group;
  };
}
