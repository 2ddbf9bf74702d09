/**
 * What the cache holds: object versions, which of their chunks are in their data files, and the
 * last known listings. SQLite below, short synchronous calls above.
 *
 * A call may wait for the disk, so a mount makes them in a worker (`cache_index.ts`).
 *
 * States of the connection:
 *
 *     open ──disk fails──▶ lost ──next call: opened again──▶ open
 *     open ──damaged──▶ set aside, new and empty ──▶ open
 *
 * Invariants:
 * 1. A change is one transaction; after a crash it is there as a whole or not at all.
 * 2. An id is given once: not to two objects, not after a removal, not after the index was lost.
 *    What a stale caller commits for an id that is gone changes nothing.
 * 3. No row leaves this file that does not have its checksum.
 * 4. A damaged index costs what it knew, never an error: data files it named are orphans then.
 */
import type { ListPage } from "../backend/backend.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { ChunkRow } from "../object/chunk_map.ts";
import { childrenPage } from "./children.ts";
import { connect, connectAnew, type Connection, type ConnectionDeps } from "./connection.ts";
import { IndexDamaged, translated } from "./database.ts";
import type { BackendCounts } from "./counters.ts";
import type { JobReport } from "./jobs.ts";
import type { StoredListing } from "./listings.ts";
import {
  type CachedRow,
  identityCrc,
  integer,
  type NewObject,
  type ObjectChange,
  type ObjectVersion,
  parseBlock,
  parseObject,
  RowDamaged,
  type RowPosition,
  type SqlRow,
  text,
  type Totals,
  type Usage,
} from "./rows.ts";
import type { Statements } from "./statements.ts";
import type { SubtreePosition } from "./subtree.ts";
import type { Grouping, TallyPage } from "./tally.ts";
import { assert } from "../platform/assert.ts";
import { isUnicodeName } from "../platform/byte_name.ts";

/** What an index is opened with. */
export interface BlockIndexDeps extends ConnectionDeps {
  /** Ids begin here or above: later than any an earlier process gave (`firstId`). */
  readonly firstId: number;
}

/**
 * Ids that a process started at `wallMs` may give: a thousand for each millisecond it runs. One
 * that was killed and is started again at once must find that its files are not the new ones.
 */
export function firstId(wallMs: number): number {
  return Math.floor(wallMs) * 2 ** 10;
}

/** The index of one cache directory. Methods throw `CacheDiskError` where the disk fails. */
export class BlockIndex {
  readonly #deps: BlockIndexDeps;
  #nextId: number;
  #connection: Connection | null;

  private constructor(deps: BlockIndexDeps, connection: Connection, nextId: number) {
    this.#deps = deps;
    this.#connection = connection;
    this.#nextId = nextId;
  }

  /**
   * Opens the index, or begins a new one where there is none or a damaged one.
   *
   * @throws {CommandError} when a newer release of WarpDrive wrote it.
   */
  static open(deps: BlockIndexDeps): BlockIndex {
    const connection = connect(deps);
    const { statements } = connection;
    const newest = translated("read", deps.path, () => {
      // Inserted and never committed: the process was killed between the two.
      statements.removeEmpty.run();
      return integer(statements.newestId.get() ?? {}, "id");
    });
    return new BlockIndex(deps, connection, Math.max(deps.firstId, newest + 1));
  }

  /** Every object inserted from now on has this id or a higher one. */
  get nextId(): number {
    return this.#nextId;
  }

  /** The row of exactly this version. */
  find({ backend, path, version }: ObjectVersion): CachedRow | null {
    if (!isStorable(path) || !isStorable(version)) return null;
    return this.#parse(({ find }) => find.all(backend, path, version))[0] ?? null;
  }

  /** All versions of `path`, the one cached last first. */
  versionsOf(backend: string, path: string): CachedRow[] {
    if (!isStorable(path)) return [];
    return this.#parse(({ versionsOf }) => versionsOf.all(backend, path));
  }

  /** Adds an object of which nothing is cached yet; a row of the same version is replaced. */
  insert(object: NewObject): number {
    const { backend, path, version, etag, sizeBytes, modified, uid, lastAccessMs } = object;
    assert(isStorable(path) && isStorable(version), "Keys and versions of a store are Unicode");
    return this.#change("add to", ({ find, remove, insert }) => {
      for (const row of find.all(backend, path, version)) remove.run(integer(row, "id"));
      const id = this.#nextId;
      this.#nextId += 1;
      insert.run(
        id,
        backend,
        path,
        version,
        etag,
        sizeBytes,
        modified.seconds,
        modified.nanoseconds,
        uid,
        identityCrc(id, object),
        lastAccessMs,
        object.pinned ? 1 : 0,
      );
      return id;
    });
  }

  /** Blocks of an object that have a present chunk, in order. */
  blocksOf(id: number): ChunkRow[] {
    const rows = this.#run("read", ({ statements }) => statements.blocksOf.all(id));
    return rows.flatMap((row) => {
      const block = whole(() => parseBlock(row));
      if (block instanceof RowDamaged) this.#deps.onDamage(block.message);
      return block instanceof RowDamaged ? [] : [block];
    });
  }

  /** Keeps `changes`, all of them in one transaction; those of removed objects have no effect. */
  commit(changes: readonly ObjectChange[]): void {
    this.#change("commit to", ({ change, putBlock, removeBlock }) => {
      for (const { id, blocks, cachedBytes, lastAccessMs } of changes) {
        if (change.run(cachedBytes, lastAccessMs, id).changes === 0) continue;
        for (const { row, present, crcs } of blocks) {
          if (present === 0) removeBlock.run(id, row);
          else putBlock.run(id, row, present, crcs);
        }
      }
    });
  }

  setPinned(ids: readonly number[], pinned: boolean): void {
    this.#change("change", ({ pin }) => ids.forEach((id) => pin.run(pinned ? 1 : 0, id)));
  }

  /** Removes objects with their blocks; their data files are the caller's to unlink. */
  remove(ids: readonly number[]): void {
    this.#change("remove from", ({ remove }) => ids.forEach((id) => remove.run(id)));
  }

  /** Those of `ids` that no object has. */
  withoutRow(ids: readonly number[]): number[] {
    return this.#run("read", ({ statements: { exists } }) => {
      return ids.filter((id) => exists.get(id) === undefined);
    });
  }

  /**
   * Up to `limit` objects that come after `position`, the longest unread first; null begins. A row
   * that is read meanwhile may come again later.
   */
  rows(position: RowPosition | null, limit: number): CachedRow[] {
    const { lastAccessMs, id } = position ?? { lastAccessMs: -1, id: 0 };
    return this.#parse(({ byAccess }) => byAccess.all(lastAccessMs, id, limit));
  }

  /** Up to `limit` objects below `directory`, after `position`, in the order of their paths. */
  below(
    backend: string,
    directory: string,
    position: SubtreePosition | null,
    limit: number,
  ): CachedRow[] {
    if (!isStorable(directory)) return [];
    return this.#parse((_, { subtrees }) => subtrees.below(backend, directory, position, limit));
  }

  /** What `limit` objects below `directory`, after `position`, take by group and user. */
  tally(
    backend: string,
    directory: string,
    grouping: Grouping,
    position: SubtreePosition | null,
    limit: number,
  ): TallyPage {
    if (!isStorable(directory)) return { tallies: [], next: null };
    return this.#run("read", ({ tallies }) => {
      return tallies.page(backend, directory, grouping, position, limit);
    });
  }

  /** Adds to what was counted of each backend. */
  count(counts: readonly BackendCounts[]): void {
    this.#change("add to", (_, { counters }) => counts.forEach((backend) => counters.add(backend)));
  }

  /** What was counted of each backend since the cache was made. */
  counts(): BackendCounts[] {
    return this.#run("read", ({ counters }) => counters.all());
  }

  /** Keeps what was reported of a job; `JOBS_MAX` jobs are remembered. */
  putJob(report: JobReport): void {
    this.#change("add to", (_, { jobs }) => jobs.put(report));
  }

  /** Up to `limit` jobs, the one reported last first. */
  jobs(limit: number): JobReport[] {
    return this.#run("read", ({ jobs }) => jobs.latest(limit));
  }

  /** What the whole cache holds. */
  totals(): Totals {
    let [objects, cachedBytes] = [0, 0];
    for (const usage of this.usage()) {
      objects += usage.objects;
      cachedBytes += usage.cachedBytes;
    }
    return { objects, cachedBytes };
  }

  /** What the cache holds by backend and by who brought it in. */
  usage(): Usage[] {
    return this.#run("read", ({ statements }) =>
      statements.usage.all().map((row) => ({
        backend: text(row, "backend"),
        uid: integer(row, "uid"),
        objects: integer(row, "objects"),
        cachedBytes: integer(row, "cached_bytes"),
      })));
  }

  /** Children of `directory` as far as they are cached: a page of about `limit`, see `list`. */
  children(backend: string, directory: string, token: string | null, limit: number): ListPage {
    if (!isStorable(directory)) return { entries: [], next: null, unlistable: 0 };
    const range = (from: string, end: string, rows: number) =>
      this.#parse((statements) => statements.range.all(backend, from, end, rows));
    return childrenPage(range, directory, token, limit);
  }

  /** Keeps what a directory was last known to hold. */
  putListing(backend: string, path: string, listing: StoredListing): void {
    this.#change("add to", (_, { listings }) => listings.put(backend, path, listing));
  }

  /** What a directory was last known to hold. */
  listing(backend: string, path: string): StoredListing | null {
    if (!isStorable(path)) return null;
    const found = this.#run("read", ({ listings }) => whole(() => listings.get(backend, path)));
    if (!(found instanceof RowDamaged)) return found;
    this.#deps.onDamage(found.message);
    this.removeListing(backend, path);
    return null;
  }

  /** When `path` was last listed as a whole, in milliseconds since the epoch. */
  listedMs(backend: string, path: string): number | null {
    if (!isStorable(path)) return null;
    return this.#run("read", ({ statements }) => {
      const row = statements.listedMs.get(backend, path);
      return row === undefined ? null : integer(row, "fetched_ms");
    });
  }

  removeListing(backend: string, path: string): void {
    this.#change("change", (_, { listings }) => listings.remove(backend, path));
  }

  /** Reads the whole database; a damaged one is replaced. Seconds for millions of rows. */
  check(): void {
    this.#run("check", ({ statements }) => {
      const [verdict] = Object.values(statements.check.get() ?? {});
      if (verdict !== "ok") throw new IndexDamaged(String(verdict));
    });
  }

  /** Ends its use; what was committed is written back to the database. */
  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) {
      translated("close", this.#deps.path, () => connection.database.close());
    }
  }

  /** The rows of a query on objects; those the disk changed are dropped. */
  #parse(
    query: (statements: Statements, connection: Connection) => readonly SqlRow[],
  ): CachedRow[] {
    const rows: CachedRow[] = [];
    const damaged: number[] = [];
    for (const row of this.#run("read", (known) => query(known.statements, known))) {
      const parsed = whole(() => parseObject(row));
      if (!(parsed instanceof RowDamaged)) {
        rows.push(parsed);
        continue;
      }
      this.#deps.onDamage(parsed.message);
      damaged.push(integer(row, "id"));
    }
    if (damaged.length > 0) this.#drop(damaged);
    return rows;
  }

  /** Removes rows whose columns cannot be believed, so what they took is counted again. */
  #drop(ids: readonly number[]): void {
    this.#change("repair", ({ remove, forgetUsage, recount }) => {
      for (const id of ids) remove.run(id);
      forgetUsage.run();
      recount.run();
    });
  }

  #change<T>(operation: string, work: (statements: Statements, connection: Connection) => T): T {
    return this.#run(operation, (connection) => {
      const { database, statements } = connection;
      statements.begin.run();
      try {
        const result = work(statements, connection);
        statements.commit.run();
        return result;
      } catch (error) {
        // SQLite rolls back by itself when the disk is full or fails.
        if (database.isTransaction) statements.rollback.run();
        throw error;
      }
    });
  }

  #run<T>(operation: string, work: (connection: Connection) => T): T {
    this.#connection ??= connect(this.#deps);
    const connection = this.#connection;
    try {
      return translated(operation, this.#deps.path, () => work(connection));
    } catch (error) {
      if (error instanceof CacheDiskError && error.code === "failed") this.#disconnect();
      if (!(error instanceof IndexDamaged)) throw error;
      this.#disconnect();
      const empty = connectAnew(this.#deps, error);
      this.#connection = empty;
      return translated(operation, this.#deps.path, () => work(empty));
    }
  }

  /** Lets go of a connection that failed, with whatever it holds. */
  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = null;
    try {
      connection?.database.close();
    } catch {
      // It could not write back, which the failure before this one has told already.
    }
  }
}

/** SQLite ends text at a NUL and changes what is no Unicode; stores have neither in keys. */
function isStorable(text: string): boolean {
  return isUnicodeName(text) && !text.includes("\0");
}

/** What `work` gives, or why the row it read is none that was written. */
function whole<T>(work: () => T): T | RowDamaged {
  try {
    return work();
  } catch (error) {
    if (error instanceof RowDamaged) return error;
    throw error;
  }
}
