/**
 * The index of a cache that no process uses, read without changing anything on its disk: for
 * commands that only look. SQLite waits for the disk here, as who runs a command does.
 *
 * - Closed as it should be, the file is read as it is (`immutable`): no lock, no file beside it.
 * - After a crash its log is beside it, and is read with it. For that SQLite makes one more file,
 *   which is taken away again.
 */
import { existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { CacheDiskError } from "./disk/cache_disk_error.ts";
import type { ChunkRow } from "./object/chunk_map.ts";
import { type BackendCounts, IndexCounters } from "./index/counters.ts";
import { IndexDamaged, pragma, translated } from "./index/database.ts";
import type { IndexReading } from "./index/reading.ts";
import {
  type CachedRow,
  integer,
  parseBlock,
  parseObject,
  RowDamaged,
  type RowPosition,
  type SqlRow,
  text,
  type Usage,
} from "./index/rows.ts";
import { APPLICATION_ID, FORMAT_VERSION } from "./index/schema.ts";
import { prepareStatements, type Statements } from "./index/statements.ts";
import type { SubtreePosition } from "./index/subtree.ts";
import { type Grouping, Tallies, type TallyPage } from "./index/tally.ts";
import { CommandError } from "./platform/exit.ts";

const PAGE_ROWS = 5_000;

/** An index for looking. What of it is damaged is left out. */
export class ReadOnlyIndex implements IndexReading, Disposable {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #tallies: Tallies;
  readonly #counters: IndexCounters;
  readonly #ownFiles: readonly string[];

  private constructor(path: string, database: DatabaseSync, ownFiles: readonly string[]) {
    this.#path = path;
    this.#database = database;
    this.#ownFiles = ownFiles;
    this.#statements = prepareStatements(database);
    this.#tallies = new Tallies(database);
    this.#counters = new IndexCounters(database);
  }

  /**
   * Opens the index at `path`, which nobody may be using.
   *
   * @throws {CommandError} when it is not of this format, or cannot be read.
   */
  static open(path: string): ReadOnlyIndex {
    const location = pathToFileURL(path);
    if (!existsSync(`${path}-wal`)) location.searchParams.set("immutable", "1");
    const ownFiles = [`${path}-shm`].filter((file) => !existsSync(file));
    let database: DatabaseSync | null = null;
    try {
      database = new DatabaseSync(location, { readOnly: true });
      examine(database, path);
      return new ReadOnlyIndex(path, database, ownFiles);
    } catch (cause) {
      database?.close();
      throw cause instanceof CommandError ? cause : unusable(path, cause);
    }
  }

  usage(): Promise<Usage[]> {
    return this.#read(({ usage }) =>
      usage.all().map((row) => ({
        backend: text(row, "backend"),
        uid: integer(row, "uid"),
        objects: integer(row, "objects"),
        cachedBytes: integer(row, "cached_bytes"),
      }))
    );
  }

  counts(): Promise<BackendCounts[]> {
    return this.#read(() => this.#counters.all());
  }

  tally(
    backend: string,
    directory: string,
    grouping: Grouping,
    position: SubtreePosition | null,
  ): Promise<TallyPage> {
    return this.#read(() => this.#tallies.page(backend, directory, grouping, position, PAGE_ROWS));
  }

  async *rows(signal: AbortSignal): AsyncGenerator<CachedRow, void, void> {
    for (let position: RowPosition = { lastAccessMs: -1, id: 0 };;) {
      signal.throwIfAborted();
      const { lastAccessMs, id } = position;
      const page = await this.#read(({ byAccess }) => byAccess.all(lastAccessMs, id, PAGE_ROWS));
      yield* wholeOf(page, parseObject);
      const last: SqlRow | undefined = page.at(-1);
      if (last === undefined) return;
      position = { lastAccessMs: integer(last, "last_access_ms"), id: integer(last, "id") };
    }
  }

  versionsOf(backend: string, path: string): Promise<CachedRow[]> {
    return this.#read(({ versionsOf }) => wholeOf(versionsOf.all(backend, path), parseObject));
  }

  blocksOf(id: number): Promise<ChunkRow[]> {
    return this.#read(({ blocksOf }) => wholeOf(blocksOf.all(id), parseBlock));
  }

  listedMs(backend: string, path: string): Promise<number | null> {
    return this.#read(({ listedMs }) => {
      const row = listedMs.get(backend, path);
      return row === undefined ? null : integer(row, "fetched_ms");
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
    for (const file of this.#ownFiles) rmSync(file, { force: true });
  }

  /** Rejects where the file turns out to be unreadable. */
  // deno-lint-ignore require-await
  async #read<T>(query: (statements: Statements) => T): Promise<T> {
    try {
      return translated("read", this.#path, () => query(this.#statements));
    } catch (cause) {
      if (cause instanceof IndexDamaged || cause instanceof CacheDiskError) {
        throw unusable(this.#path, cause);
      }
      throw cause;
    }
  }
}

/** The rows that are as they were written. */
function wholeOf<T>(rows: readonly SqlRow[], parse: (row: SqlRow) => T): T[] {
  return rows.flatMap((row) => {
    try {
      return [parse(row)];
    } catch (error) {
      if (error instanceof RowDamaged) return [];
      throw error;
    }
  });
}

function examine(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  if (id === APPLICATION_ID && version === FORMAT_VERSION) return;
  throw new CommandError(
    "failed",
    id === APPLICATION_ID
      ? `Cannot read "${path}": it has format ${version}, wanted ${FORMAT_VERSION}`
      : `Cannot read "${path}": it is no index of WarpDrive`,
    version > FORMAT_VERSION
      ? "Use the newer release of WarpDrive that wrote it"
      : "The next mount begins it anew",
  );
}

function unusable(path: string, cause: unknown): CommandError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const hint = "Run this as the user of the cache or root; the next mount repairs what is damaged";
  return new CommandError("failed", `Cannot read "${path}": ${reason}`, hint, { cause });
}
