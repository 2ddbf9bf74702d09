/**
 * What is known of a directory from the objects that are cached below it: enough to walk to them
 * when no store answers.
 */
import type { Entry, ListPage, ObjectEntry } from "../backend/backend.ts";
import { baseName } from "../backend/backend.ts";
import type { CachedRow } from "./rows.ts";

/** Rows asked for at once; fewer after each subdirectory, of which one row tells all. */
const ROWS_MAX = 256;

/** Newest versions of paths from `from` (included) to `end` (excluded), in order of their bytes. */
export type PathRange = (from: string, end: string, limit: number) => readonly CachedRow[];

/** After every path: bytes above those UTF-8 uses cannot be bound, but no key begins like this. */
const LAST = "\u{10FFFF}".repeat(8);

/**
 * Up to `limit` children of `directory`, from where a page before it ended. A name stands once in
 * a page, as a directory where it is both.
 */
export function childrenPage(
  range: PathRange,
  directory: string,
  token: string | null,
  limit: number,
): ListPage {
  const prefix = directory === "" ? "" : `${directory}/`;
  // "0" follows "/" in ASCII: the first path that is no longer below the directory.
  const end = directory === "" ? LAST : `${directory}0`;
  const entries = new Map<string, Entry>();
  let from = token ?? prefix;
  for (let wanted = 2; entries.size < limit;) {
    const rows = range(from, end, Math.min(wanted, limit - entries.size));
    const last = rows.at(-1);
    if (last === undefined) return { entries: [...entries.values()], next: null, unlistable: 0 };
    from = `${last.path}\0`;
    wanted = Math.min(ROWS_MAX, wanted * 2);
    for (const row of rows) {
      const rest = row.path.slice(prefix.length);
      const slash = rest.indexOf("/");
      if (slash < 0) {
        if (entries.get(rest)?.kind !== "directory") entries.set(rest, objectEntry(row));
        continue;
      }
      const name = rest.slice(0, slash);
      entries.set(name, { kind: "directory", name, modified: null, posix: null });
      from = `${prefix}${name}0`;
      wanted = 2;
      break;
    }
  }
  return { entries: [...entries.values()], next: from, unlistable: 0 };
}

/** The entry a listing would show for a cached object. */
export function objectEntry(row: CachedRow): ObjectEntry {
  const { path, sizeBytes, modified, version, etag } = row;
  return { kind: "object", name: baseName(path), sizeBytes, modified, version, etag, posix: null };
}
