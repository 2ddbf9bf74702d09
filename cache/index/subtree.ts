/** What is cached at a path and below it, a page at a time, in the order of paths. */
import type { DatabaseSync } from "node:sqlite";
import type { SqlRow } from "./rows.ts";

/** Where an iteration stands: after the row that has these. */
export interface SubtreePosition {
  readonly path: string;
  readonly version: string;
}

/** After every path: bytes above those UTF-8 uses cannot be bound, but no key begins like this. */
const LAST = "\u{10FFFF}".repeat(8);

/** Queries on subtrees of one open database. */
export class Subtrees {
  readonly #below;

  constructor(database: DatabaseSync) {
    this.#below = database.prepare(
      `SELECT * FROM objects WHERE backend = ? AND (path, version) > (?, ?) AND path < ?
       ORDER BY path, version LIMIT ?`,
    );
  }

  /** Rows of objects below `directory`, after `position`; `directory` itself is not one of them. */
  below(
    backend: string,
    directory: string,
    position: SubtreePosition | null,
    limit: number,
  ): readonly SqlRow[] {
    const from = position ?? beginning(directory);
    return this.#below.all(backend, from.path, from.version, endOf(directory), limit);
  }
}

/** Where an iteration over what is below `directory` begins. */
export function beginning(directory: string): SubtreePosition {
  return { path: directory === "" ? "" : `${directory}/`, version: "" };
}

/** The first path that is no longer below `directory`: "0" follows "/" in ASCII. */
export function endOf(directory: string): string {
  return directory === "" ? LAST : `${directory}0`;
}

/** The directory of `path` that is `depth` segments deep, or its own where that is less. */
export function ancestor(path: string, depth: number): string {
  return path.split("/").slice(0, -1).slice(0, depth).join("/");
}
