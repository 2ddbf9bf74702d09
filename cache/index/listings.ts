/**
 * The last known listing of directories, for when no store answers. Bounded in rows and bytes: the
 * least recently used leave.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../backend/backend.ts";
import { integer, type SqlRow } from "./rows.ts";
import { decodeEntries, encodeEntries } from "./listing_codec.ts";

/** A directory as it was when it was last listed. */
export interface StoredListing {
  readonly fetchedMs: number;
  /** False where only a part of the directory was listed. */
  readonly complete: boolean;
  readonly entries: readonly Entry[];
}

/** Bounds on what is kept. Bytes are compressed ones: about 20 for each entry. */
export interface ListingBounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

const ROW_BYTES = 100;
/** Share of all bytes that one directory may take. */
const LISTING_SHARE = 1 / 4;

/** The listings of one open database. */
export class Listings {
  readonly #bounds: ListingBounds;
  readonly #statements: ReturnType<typeof prepare>;
  #rows: number;
  #bytes: number;
  /** Number of the last use; uses are counted, because clocks are set back. */
  #used: number;

  constructor(database: DatabaseSync, bounds: ListingBounds) {
    this.#bounds = bounds;
    this.#statements = prepare(database);
    const totals: SqlRow = this.#statements.totals.get() ?? {};
    this.#rows = integer(totals, "rows");
    this.#bytes = integer(totals, "bytes");
    this.#used = integer(totals, "used");
  }

  /** Keeps `listing`, in place of an older one. */
  put(backend: string, path: string, listing: StoredListing): void {
    this.remove(backend, path);
    const entries = encodeEntries(listing.entries);
    const bytes = entries.length + path.length + ROW_BYTES;
    if (bytes > this.#bounds.bytesMax * LISTING_SHARE) return;
    this.#used += 1;
    const { fetchedMs, complete } = listing;
    this.#statements.put.run(
      backend,
      path,
      fetchedMs,
      complete ? 1 : 0,
      this.#used,
      bytes,
      entries,
    );
    this.#rows += 1;
    this.#bytes += bytes;
    while (this.#rows > this.#bounds.rowsMax || this.#bytes > this.#bounds.bytesMax) {
      this.#count(this.#statements.removeOldest.all());
    }
  }

  /** What was last put for `path`. */
  get(backend: string, path: string): StoredListing | null {
    const row: SqlRow | undefined = this.#statements.get.get(backend, path);
    if (row === undefined) return null;
    const blob = row["entries"];
    const entries = decodeEntries(blob instanceof Uint8Array ? blob : new Uint8Array());
    this.#used += 1;
    this.#statements.use.run(this.#used, backend, path);
    return { fetchedMs: integer(row, "fetched_ms"), complete: row["complete"] === 1, entries };
  }

  /** Forgets `path`. */
  remove(backend: string, path: string): void {
    this.#count(this.#statements.remove.all(backend, path));
  }

  #count(removed: readonly SqlRow[]): void {
    for (const row of removed) {
      this.#rows -= 1;
      this.#bytes -= integer(row, "bytes");
    }
  }
}

function prepare(database: DatabaseSync) {
  return {
    totals: database.prepare(
      `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, coalesce(max(used), 0) AS used
       FROM listings`,
    ),
    put: database.prepare("INSERT INTO listings VALUES (?, ?, ?, ?, ?, ?, ?)"),
    get: database.prepare("SELECT * FROM listings WHERE backend = ? AND path = ?"),
    use: database.prepare("UPDATE listings SET used = ? WHERE backend = ? AND path = ?"),
    remove: database.prepare(
      "DELETE FROM listings WHERE backend = ? AND path = ? RETURNING bytes",
    ),
    removeOldest: database.prepare(
      `DELETE FROM listings WHERE rowid = (SELECT rowid FROM listings ORDER BY used LIMIT 1)
       RETURNING bytes`,
    ),
  };
}
