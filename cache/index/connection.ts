/** A connection to the index with all it needs; one that finds damage begins a new index. */
import { renameSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import { IndexDamaged, openDatabase, translated } from "./database.ts";
import { IndexCounters } from "./counters.ts";
import { IndexJobs, JOBS_MAX } from "./jobs.ts";
import { type ListingBounds, Listings } from "./listings.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import { Subtrees } from "./subtree.ts";
import { Tallies } from "./tally.ts";

/** Where the index is and what it may keep. */
export interface ConnectionDeps {
  /** Of the database; its log lies beside it. */
  readonly path: string;
  readonly listings: ListingBounds;
  /** Is told of everything that turned out to be damaged, and was dropped. */
  readonly onDamage: (reason: string) => void;
}

/** What belongs to one connection. */
export interface Connection {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly listings: Listings;
  readonly subtrees: Subtrees;
  readonly tallies: Tallies;
  readonly counters: IndexCounters;
  readonly jobs: IndexJobs;
}

/** Opens the index, or a new one where there is none or a damaged one. */
export function connect(deps: ConnectionDeps): Connection {
  try {
    return openConnection(deps);
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw error;
    return connectAnew(deps, error);
  }
}

/** Sets the damaged index aside, reports it, and begins an empty one. */
export function connectAnew(deps: ConnectionDeps, damage: IndexDamaged): Connection {
  deps.onDamage(`The index is damaged and begins anew: ${damage.message}`);
  try {
    // One is kept, for who wants to know what happened to the disk.
    rmSync(`${deps.path}.damaged`, { recursive: true, force: true });
    renameSync(deps.path, `${deps.path}.damaged`);
    for (const suffix of ["-wal", "-shm", "-journal"]) {
      rmSync(`${deps.path}${suffix}`, { recursive: true, force: true });
    }
    return openConnection(deps);
  } catch (cause) {
    if (cause instanceof CacheDiskError) throw cause;
    const reason = "the damaged one cannot be replaced";
    throw new CacheDiskError("failed", "begin anew", deps.path, reason, { cause });
  }
}

function openConnection(deps: ConnectionDeps): Connection {
  const database = openDatabase(deps.path);
  try {
    return translated("read", deps.path, () => ({
      database,
      statements: prepareStatements(database),
      listings: new Listings(database, deps.listings),
      subtrees: new Subtrees(database),
      tallies: new Tallies(database),
      counters: new IndexCounters(database),
      jobs: new IndexJobs(database, JOBS_MAX),
    }));
  } catch (error) {
    database.close();
    throw error;
  }
}
