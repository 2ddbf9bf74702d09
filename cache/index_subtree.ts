/** What is cached at a path and below it, a page at a time, in the order of paths. */
import type { DatabaseSync } from "node:sqlite";
import { integer, type SqlRow, text, type Totals } from "./index_rows.ts";

/** Where an iteration stands: after the row that has these. */
export interface SubtreePosition {
  readonly path: string;
  readonly version: string;
}

/** What the objects below one directory take. */
export interface DirectoryUsage extends Totals {
  readonly path: string;
}

/** A part of the usage of a backend; the same directory may come again in the next one. */
export interface DirectoryUsagePage {
  readonly usage: readonly DirectoryUsage[];
  readonly next: SubtreePosition | null;
}

/** After every path: bytes above those UTF-8 uses cannot be bound, but no key begins like this. */
const LAST = "\u{10FFFF}".repeat(8);

/** Queries on subtrees of one open database. */
export class Subtrees {
  readonly #below;
  readonly #sizes;

  constructor(database: DatabaseSync) {
    const range = `FROM objects WHERE backend = ? AND (path, version) > (?, ?) AND path < ?
       ORDER BY path, version LIMIT ?`;
    this.#below = database.prepare(`SELECT * ${range}`);
    this.#sizes = database.prepare(`SELECT path, version, cached_bytes ${range}`);
  }

  /** Rows of objects below `directory`, after `position`; `directory` itself is not one of them. */
  below(
    backend: string,
    directory: string,
    position: SubtreePosition | null,
    limit: number,
  ): readonly SqlRow[] {
    const from = position ?? { path: directory === "" ? "" : `${directory}/`, version: "" };
    // "0" follows "/" in ASCII: the first path that is no longer below the directory.
    const end = directory === "" ? LAST : `${directory}0`;
    return this.#below.all(backend, from.path, from.version, end, limit);
  }

  /** Usage by directories of at most `depth` segments, of up to `limit` objects. */
  usage(
    backend: string,
    depth: number,
    position: SubtreePosition | null,
    limit: number,
  ): DirectoryUsagePage {
    const { path, version } = position ?? { path: "", version: "" };
    const rows = this.#sizes.all(backend, path, version, LAST, limit);
    const usage = new Map<string, { objects: number; cachedBytes: number }>();
    for (const row of rows) {
      const directory = ancestor(text(row, "path"), depth);
      const known = usage.get(directory) ?? { objects: 0, cachedBytes: 0 };
      known.objects += 1;
      known.cachedBytes += integer(row, "cached_bytes");
      usage.set(directory, known);
    }
    const last = rows.at(-1);
    return {
      usage: [...usage].map(([path, totals]) => ({ path, ...totals })),
      next: last === undefined || rows.length < limit
        ? null
        : { path: text(last, "path"), version: text(last, "version") },
    };
  }
}

/** The directory of `path` that is `depth` segments deep, or its own where that is less. */
export function ancestor(path: string, depth: number): string {
  return path.split("/").slice(0, -1).slice(0, depth).join("/");
}
