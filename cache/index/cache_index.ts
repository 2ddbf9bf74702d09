/**
 * The index as a mount uses it: the calls of `block_index.ts`, made in a worker, each with a
 * deadline. A disk that hangs keeps the worker; here, calls then fail at once until it answers.
 */
import type { ListPage } from "../backend/backend.ts";
import { type BlockIndex, firstId } from "./block_index.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { ChunkRow } from "../object/chunk_map.ts";
import type { StepHook } from "../disk/durable_step.ts";
import type { BackendCounts } from "./counters.ts";
import type { JobReport } from "./jobs.ts";
import type { ListingBounds, StoredListing } from "./listings.ts";
import type { Answer, IndexCall, IndexFailure, IndexMethod, OpenIndex } from "./messages.ts";
import type {
  CachedRow,
  NewObject,
  ObjectChange,
  ObjectVersion,
  RowPosition,
  Totals,
  Usage,
} from "./rows.ts";
import type { SubtreePosition } from "./subtree.ts";
import type { Grouping, TallyPage } from "./tally.ts";
import { assert, AssertionError } from "../platform/assert.ts";
import type { Clock } from "../platform/clock.ts";
import { CommandError } from "../platform/exit.ts";
import { within } from "../platform/within.ts";

/** Calls that may wait for the worker. */
const CALLS_MAX = 4_096;
/** Rows that `rows` asks for at once: a few milliseconds of the worker. */
const PAGE_ROWS = 500;
/** Rows that `tally` adds up at once. */
const TALLY_ROWS = 2_000;
const CHECK_MS_MAX = 600_000;
/** Longest time to open: a long log is read first, by a process that was killed. */
const OPEN_MS_MAX = 30_000;

/** What an index in a worker is opened with. */
export interface CacheIndexDeps {
  /** Of `index.sqlite`. */
  readonly path: string;
  readonly listings: ListingBounds;
  readonly clock: Clock;
  /** Longest wait for an answer. */
  readonly timeoutMs: number;
  readonly step: StepHook;
  /** Is told of everything that turned out to be damaged, and was dropped: to log and count. */
  readonly onDamage: (reason: string) => void;
}

/** A call without its answer. Our own worker answers, so what comes has the type of the method. */
interface Pending {
  readonly resolve: (value: MessageEvent["data"]) => void;
  readonly reject: (error: Error) => void;
}

/** The index of one cache directory. Methods reject with `CacheDiskError` where the disk fails. */
export class CacheIndex implements AsyncDisposable {
  readonly #deps: CacheIndexDeps;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  /** Calls given up whose answer has not come: the disk hangs. */
  #overdue = 0;
  #broken: CacheDiskError | null = null;
  #nextId = 0;

  private constructor(deps: CacheIndexDeps) {
    this.#deps = deps;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#break(event.message);
    };
  }

  /**
   * Opens the index, or begins a new one where there is none or a damaged one.
   *
   * @throws {CommandError} when a newer release of WarpDrive wrote it.
   */
  static async open(deps: CacheIndexDeps): Promise<CacheIndex> {
    const client = new CacheIndex(deps);
    const { path, listings, clock } = deps;
    const settings = { path, listings, firstId: firstId(clock.wallMs()) };
    try {
      client.#nextId = await client.#ask<number>({ method: "open", args: [settings] }, OPEN_MS_MAX);
      return client;
    } catch (error) {
      client.#worker.terminate();
      throw error;
    }
  }

  /** Objects inserted since it was opened have this id or a higher one, all others a lower one. */
  get firstNewId(): number {
    return this.#nextId;
  }

  /** The row of exactly this version. */
  find(object: ObjectVersion): Promise<CachedRow | null> {
    return this.#call<"find">({ method: "find", args: [object] });
  }

  /** All versions of `path`, the one cached last first. */
  versionsOf(backend: string, path: string): Promise<CachedRow[]> {
    return this.#call<"versionsOf">({ method: "versionsOf", args: [backend, path] });
  }

  /** Adds an object of which nothing is cached yet; a row of the same version is replaced. */
  insert(object: NewObject): Promise<number> {
    this.#deps.step("insert object");
    return this.#call<"insert">({ method: "insert", args: [object] });
  }

  /** Blocks of an object that have a present chunk, in order. */
  blocksOf(id: number): Promise<ChunkRow[]> {
    return this.#call<"blocksOf">({ method: "blocksOf", args: [id] });
  }

  /** Keeps `changes`, all of them in one transaction; those of removed objects have no effect. */
  commit(changes: readonly ObjectChange[]): Promise<void> {
    this.#deps.step("commit blocks");
    return this.#call<"commit">({ method: "commit", args: [changes] });
  }

  setPinned(ids: readonly number[], pinned: boolean): Promise<void> {
    this.#deps.step("pin objects");
    return this.#call<"setPinned">({ method: "setPinned", args: [ids, pinned] });
  }

  /** Removes objects with their blocks; their data files are the caller's to unlink. */
  remove(ids: readonly number[]): Promise<void> {
    this.#deps.step("remove object");
    return this.#call<"remove">({ method: "remove", args: [ids] });
  }

  /** Those of `ids` that no object has. */
  withoutRow(ids: readonly number[]): Promise<number[]> {
    return this.#call<"withoutRow">({ method: "withoutRow", args: [ids] });
  }

  /** Up to `limit` objects after `position`, the longest unread first; see `BlockIndex.rows`. */
  page(position: RowPosition | null, limit: number): Promise<CachedRow[]> {
    return this.#call<"rows">({ method: "rows", args: [position, limit] });
  }

  /** All objects, the longest unread first. One that is read meanwhile may come again. */
  async *rows(signal: AbortSignal): AsyncGenerator<CachedRow, void, void> {
    for (let position: RowPosition | null = null;;) {
      signal.throwIfAborted();
      const page = await this.page(position, PAGE_ROWS);
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      position = last;
    }
  }

  /** All objects at `path` and below it, in the order of their paths. */
  async *subtree(
    backend: string,
    path: string,
    signal: AbortSignal,
  ): AsyncGenerator<CachedRow, void, void> {
    if (path !== "") yield* await this.versionsOf(backend, path);
    for (let position: SubtreePosition | null = null;;) {
      signal.throwIfAborted();
      const page: CachedRow[] = await this.#call<"below">({
        method: "below",
        args: [backend, path, position, PAGE_ROWS],
      });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      position = last;
    }
  }

  /** What some thousands of objects below `directory`, after `position`, take. */
  tally(
    backend: string,
    directory: string,
    grouping: Grouping,
    position: SubtreePosition | null,
  ): Promise<TallyPage> {
    const args: Parameters<BlockIndex["tally"]> = [
      backend,
      directory,
      grouping,
      position,
      TALLY_ROWS,
    ];
    return this.#call<"tally">({ method: "tally", args });
  }

  /** Adds to what was counted of each backend. */
  count(counts: readonly BackendCounts[]): Promise<void> {
    return this.#call<"count">({ method: "count", args: [counts] });
  }

  /** What was counted of each backend since the cache was made. */
  counts(): Promise<BackendCounts[]> {
    return this.#call<"counts">({ method: "counts", args: [] });
  }

  /** Keeps what was reported of a job; `JOBS_MAX` jobs are remembered. */
  putJob(report: JobReport): Promise<void> {
    return this.#call<"putJob">({ method: "putJob", args: [report] });
  }

  /** Up to `limit` jobs, the one reported last first. */
  jobs(limit: number): Promise<JobReport[]> {
    return this.#call<"jobs">({ method: "jobs", args: [limit] });
  }

  /**
   * Reads the whole database; a damaged one is replaced. Seconds for millions of rows, in which no
   * other call is answered: for a cache that nobody reads.
   */
  check(): Promise<void> {
    return this.#ask<void>({ method: "check", args: [] }, CHECK_MS_MAX);
  }

  /** What the cache holds by backend and by who brought it in; a few rows. */
  usage(): Promise<Usage[]> {
    return this.#call<"usage">({ method: "usage", args: [] });
  }

  /** What the whole cache holds. */
  totals(): Promise<Totals> {
    return this.#call<"totals">({ method: "totals", args: [] });
  }

  /** Children of `directory` as far as they are cached: a page of about `limit`, see `list`. */
  children(
    backend: string,
    directory: string,
    token: string | null,
    limit: number,
  ): Promise<ListPage> {
    return this.#call<"children">({ method: "children", args: [backend, directory, token, limit] });
  }

  /** Keeps what a directory was last known to hold. */
  putListing(backend: string, path: string, listing: StoredListing): Promise<void> {
    return this.#call<"putListing">({ method: "putListing", args: [backend, path, listing] });
  }

  /** What a directory was last known to hold. */
  listing(backend: string, path: string): Promise<StoredListing | null> {
    return this.#call<"listing">({ method: "listing", args: [backend, path] });
  }

  /** When `path` was last listed as a whole, in milliseconds since the epoch. */
  listedMs(backend: string, path: string): Promise<number | null> {
    return this.#call<"listedMs">({ method: "listedMs", args: [backend, path] });
  }

  removeListing(backend: string, path: string): Promise<void> {
    return this.#call<"removeListing">({ method: "removeListing", args: [backend, path] });
  }

  /** Writes back what was committed and ends the worker, also when the disk does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#broken === null) await this.#call<"close">({ method: "close", args: [] });
    } catch (error) {
      // What was committed is in the log, where the next process finds it.
      if (!(error instanceof CacheDiskError)) throw error;
    } finally {
      this.#worker.terminate();
      this.#break("it was closed");
    }
  }

  #call<Method extends IndexMethod>(call: IndexCall): Promise<ReturnType<BlockIndex[Method]>> {
    return this.#ask<ReturnType<BlockIndex[Method]>>(call, this.#deps.timeoutMs);
  }

  async #ask<T>(call: IndexCall | OpenIndex, timeoutMs: number): Promise<T> {
    if (this.#broken !== null) throw this.#broken;
    if (this.#overdue > 0) throw this.#failure(call.method, "the disk has not answered for long");
    if (this.#pending.size >= CALLS_MAX) throw this.#failure(call.method, "too many calls wait");
    this.#calls += 1;
    const number = this.#calls;
    const answered = new Promise<T>((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
      this.#worker.postMessage({ number, call });
    });
    return await within(answered, timeoutMs, this.#deps.clock, () => {
      this.#overdue += 1;
      const settle = () => {
        this.#overdue -= 1;
      };
      this.#pending.set(number, { resolve: settle, reject: settle });
      return this.#failure(call.method, `no answer from the disk within ${timeoutMs} ms`);
    });
  }

  #receive(answer: Answer): void {
    if (answer.kind === "damage") return this.#deps.onDamage(answer.reason);
    const pending = this.#pending.get(answer.number);
    assert(pending !== undefined, "The index answers what it was asked, once");
    this.#pending.delete(answer.number);
    if (answer.kind === "value") pending.resolve(answer.value);
    else pending.reject(errorOf(answer.failure));
  }

  /** Ends all calls, those to come included. */
  #break(reason: string): void {
    this.#broken ??= this.#failure("use", reason);
    for (const { reject } of this.#pending.values()) reject(this.#broken);
    this.#pending.clear();
  }

  #failure(method: string, reason: string): CacheDiskError {
    return new CacheDiskError("failed", `call ${method} of`, this.#deps.path, reason);
  }
}

function errorOf(failure: IndexFailure): Error {
  switch (failure.kind) {
    case "disk": {
      const { code, operation, subject, reason } = failure;
      return new CacheDiskError(code, operation, subject, reason);
    }
    case "refused":
      return new CommandError("failed", failure.message, failure.hint);
    case "bug":
      return new AssertionError(failure.message);
  }
}
