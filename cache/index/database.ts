/**
 * Opens `index.sqlite`, and says what SQLite's failures mean.
 *
 * How it is kept:
 * - WAL with synchronous=NORMAL: a commit only appends to the log, which the kernel keeps when the
 *   process is killed; log and database are synced at checkpoints alone, so a loss of power costs
 *   the commits since the last one and leaves the file consistent. What a lost commit announced is
 *   fetched again; what a kept one announces is verified before use, so nothing needs more.
 * - locking_mode=EXCLUSIVE: the index of the log lies on the heap. In shared memory, a file
 *   somebody cut would end the process with SIGBUS; for the same reason nothing is mapped.
 */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import { RowDamaged } from "./rows.ts";
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA } from "./schema.ts";
import { CommandError } from "../platform/exit.ts";

/** SQLite's own page cache. */
const PAGES_KIB = 16 * 1024;
/** Length of the log at which it is written back to the database. */
const CHECKPOINT_PAGES = 4_000;
const LOG_BYTES_KEPT = 64 * 1024 * 1024;
/** Another process may read the index for a moment, e.g. a person with the sqlite3 shell. */
const BUSY_MS = 200;

const SQLITE_FULL = 13; // sqlite.org/rescode.html; extended codes keep these in the low byte
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_FORMAT = 24;

/** The file is no index that could be used; it is dropped and a new one begins. */
export class IndexDamaged extends Error {
  override readonly name = "IndexDamaged";
}

/**
 * Opens the index at `path`, or creates it where none is.
 *
 * @throws {IndexDamaged} when what is there is damaged or something else.
 * @throws {CommandError} when a newer release of WarpDrive wrote it.
 * @throws {CacheDiskError} when the disk fails.
 */
export function openDatabase(path: string): DatabaseSync {
  touch(path);
  return translated("open", path, () => {
    const database = new DatabaseSync(path);
    try {
      for (
        const pragma of [
          "locking_mode = EXCLUSIVE",
          `busy_timeout = ${BUSY_MS}`,
          "mmap_size = 0",
          "temp_store = MEMORY",
          `cache_size = -${PAGES_KIB}`,
          "journal_mode = WAL",
          "synchronous = NORMAL",
          `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
          `journal_size_limit = ${LOG_BYTES_KEPT}`,
        ]
      ) database.prepare(`PRAGMA ${pragma}`).all();
      if (isEmpty(database)) create(database);
      else examine(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/**
 * What `work` on the index at `path` gives, with SQLite's errors turned into ours.
 *
 * @throws {IndexDamaged} when the file turns out to be damaged.
 * @throws {CacheDiskError} when the disk fails.
 */
export function translated<T>(operation: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    // An integer no double can hold was never written either.
    if (cause instanceof RowDamaged || isCoded(cause, "ERR_OUT_OF_RANGE")) {
      throw new IndexDamaged(cause.message, { cause });
    }
    if (!isCoded(cause, "ERR_SQLITE_ERROR")) throw cause;
    // `exec` and the constructor carry no code, so the statements here are all prepared.
    const code = "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : 0;
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === SQLITE_FORMAT) {
      throw new IndexDamaged(cause.message, { cause });
    }
    const kind = code === SQLITE_FULL ? "full" : "failed";
    throw new CacheDiskError(kind, operation, path, cause.message, { cause });
  }
}

function isCoded(error: unknown, code: string): error is Error {
  return error instanceof Error && "code" in error && error.code === code;
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined &&
    pragma(database, "application_id") === 0;
}

/** SQLite would create the file for everybody to read; it takes an empty one for a new database. */
function touch(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CacheDiskError("failed", "open", path, reason, { cause });
  }
}

/** In one transaction: a process killed meanwhile leaves an empty database. */
function create(database: DatabaseSync): void {
  const statements = [
    "BEGIN EXCLUSIVE",
    ...SCHEMA,
    `PRAGMA application_id = ${APPLICATION_ID}`,
    `PRAGMA user_version = ${FORMAT_VERSION}`,
    "COMMIT",
  ];
  for (const statement of statements) database.prepare(statement).run();
}

function examine(database: DatabaseSync, path: string): void {
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    throw new IndexDamaged("It is a database, but not one of WarpDrive");
  }
  const version = pragma(database, "user_version");
  if (version > FORMAT_VERSION) {
    throw new CommandError(
      "failed",
      `Cannot open "${path}": it has format ${version}, wanted ${FORMAT_VERSION} or older`,
      "Use the newer release of WarpDrive that wrote it, or give this one an empty cache.path",
    );
  }
  const rows = database.prepare(
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid",
  ).all();
  if (version !== FORMAT_VERSION || rows.map((row) => row["sql"]).join() !== SCHEMA.join()) {
    throw new IndexDamaged("Its schema is not that of its format");
  }
}

/** A number in the head of the file. */
export function pragma(database: DatabaseSync, name: string): number {
  const value = database.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === "number" ? value : 0;
}
