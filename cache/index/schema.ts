/** The format of `index.sqlite`. A change of anything here bumps `FORMAT_VERSION`. */

/** Marks the file as ours (`PRAGMA application_id`): "WDrC". */
export const APPLICATION_ID = 0x57447243;

/** `PRAGMA user_version`. */
export const FORMAT_VERSION = 3;

/**
 * - `identity_crc` covers every column of `objects` before it (`identityCrc`): SQLite keeps no
 *   checksums, and a flipped bit in a path would give one object's bytes to another.
 * - `objects_empty` finds what a crash left between an insert and its first commit.
 * - `usage` is kept by triggers, so that totals take one look at a few rows, whatever the cache
 *   holds, and are part of each transaction.
 * - `entries` of a listing is JSON, compressed with gzip, whose CRC guards it.
 * - rowids of `jobs` are in the order of the reports (`index_jobs.ts`).
 */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    path TEXT NOT NULL,
    version TEXT NOT NULL,
    etag TEXT,
    size_bytes INTEGER NOT NULL,
    modified_s INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    identity_crc INTEGER NOT NULL,
    cached_bytes INTEGER NOT NULL,
    last_access_ms INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    UNIQUE (backend, path, version)
  ) STRICT`,
  `CREATE INDEX objects_by_access ON objects (last_access_ms, id)`,
  `CREATE INDEX objects_empty ON objects (id) WHERE cached_bytes = 0`,
  `CREATE TABLE blocks (
    object_id INTEGER NOT NULL,
    block INTEGER NOT NULL,
    present INTEGER NOT NULL,
    crcs BLOB NOT NULL,
    PRIMARY KEY (object_id, block)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE usage (
    backend TEXT NOT NULL,
    uid INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    cached_bytes INTEGER NOT NULL,
    PRIMARY KEY (backend, uid)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER usage_of_new AFTER INSERT ON objects BEGIN
    INSERT INTO usage VALUES (NEW.backend, NEW.uid, 1, NEW.cached_bytes)
    ON CONFLICT DO UPDATE
    SET objects = objects + 1, cached_bytes = cached_bytes + NEW.cached_bytes;
  END`,
  `CREATE TRIGGER usage_of_changed AFTER UPDATE OF cached_bytes ON objects BEGIN
    UPDATE usage SET cached_bytes = cached_bytes + NEW.cached_bytes - OLD.cached_bytes
    WHERE backend = NEW.backend AND uid = NEW.uid;
  END`,
  `CREATE TRIGGER usage_of_removed AFTER DELETE ON objects BEGIN
    DELETE FROM blocks WHERE object_id = OLD.id;
    UPDATE usage SET objects = objects - 1, cached_bytes = cached_bytes - OLD.cached_bytes
    WHERE backend = OLD.backend AND uid = OLD.uid;
    DELETE FROM usage WHERE backend = OLD.backend AND uid = OLD.uid AND objects = 0;
  END`,
  `CREATE TABLE listings (
    backend TEXT NOT NULL,
    path TEXT NOT NULL,
    fetched_ms INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    used INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (backend, path)
  ) STRICT`,
  `CREATE INDEX listings_by_use ON listings (used, bytes)`,
  `CREATE TABLE counters (
    backend TEXT PRIMARY KEY,
    hits INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    fetched_bytes INTEGER NOT NULL,
    evicted_blocks INTEGER NOT NULL,
    readahead_hit_blocks INTEGER NOT NULL,
    readahead_wasted_blocks INTEGER NOT NULL,
    corruptions INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    status TEXT NOT NULL,
    uid INTEGER NOT NULL,
    reported_ms INTEGER NOT NULL
  ) STRICT`,
];
