/** The statements the index runs on its objects and blocks, prepared once for each connection. */
import type { DatabaseSync } from "node:sqlite";

/** Prepares them. */
export function prepareStatements(database: DatabaseSync) {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    rollback: database.prepare("ROLLBACK"),
    check: database.prepare("PRAGMA quick_check(1)"),
    find: database.prepare(
      "SELECT * FROM objects WHERE backend = ? AND path = ? AND version = ?",
    ),
    versionsOf: database.prepare(
      "SELECT * FROM objects WHERE backend = ? AND path = ? ORDER BY id DESC",
    ),
    range: database.prepare(
      `SELECT * FROM objects AS object
       WHERE backend = ? AND path >= ? AND path < ? AND NOT EXISTS (
         SELECT 1 FROM objects AS newer
         WHERE newer.backend = object.backend AND newer.path = object.path AND newer.id > object.id
       )
       ORDER BY path LIMIT ?`,
    ),
    byAccess: database.prepare(
      `SELECT * FROM objects WHERE (last_access_ms, id) > (?, ?)
       ORDER BY last_access_ms, id LIMIT ?`,
    ),
    newestId: database.prepare("SELECT coalesce(max(id), 0) AS id FROM objects"),
    exists: database.prepare("SELECT 1 FROM objects WHERE id = ?"),
    insert: database.prepare(
      "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
    ),
    change: database.prepare(
      "UPDATE objects SET cached_bytes = ?, last_access_ms = ? WHERE id = ?",
    ),
    pin: database.prepare("UPDATE objects SET pinned = ? WHERE id = ?"),
    remove: database.prepare("DELETE FROM objects WHERE id = ?"),
    removeEmpty: database.prepare("DELETE FROM objects WHERE cached_bytes = 0"),
    blocksOf: database.prepare(
      "SELECT block, present, crcs FROM blocks WHERE object_id = ? ORDER BY block",
    ),
    putBlock: database.prepare("INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)"),
    removeBlock: database.prepare("DELETE FROM blocks WHERE object_id = ? AND block = ?"),
    listedMs: database.prepare(
      "SELECT fetched_ms FROM listings WHERE backend = ? AND path = ? AND complete = 1",
    ),
    usage: database.prepare("SELECT * FROM usage"),
    forgetUsage: database.prepare("DELETE FROM usage"),
    recount: database.prepare(
      `INSERT INTO usage SELECT backend, uid, count(*), sum(cached_bytes) FROM objects
       GROUP BY backend, uid`,
    ),
  };
}

/** Prepared statements of one connection. */
export type Statements = ReturnType<typeof prepareStatements>;
