/**
 * Fetches ranges of object versions, most urgent first.
 *
 *     queued ──start──▶ running ──all bytes──▶ filled
 *       │                  └──────error──────▶ failed
 *       └──withdrawn (nobody wants it any more)──▶ failed
 *
 * 1. A demand read waits for one request of a lower class at most, and for none of its memory:
 *    lower classes use at most three quarters of the requests and half of the memory. When the
 *    limit falls below what runs already, demand still has its quarter.
 * 2. The fetches of one store hold at most twice the memory that is free (dynamic thresholds:
 *    Choudhury and Hahne, 1998), so that a store that hangs leaves some to every other.
 * 3. What waits is bounded: demand by the requests of the kernel, lower classes by their callers,
 *    who ask `hasRoom` first.
 *
 * A fetch is plain data plus a buffer. Those who wait for a part of it are woken as soon as that
 * part has arrived. The buffer is given back when the last holder has released the fetch.
 */
import type { AdaptiveLimit } from "../backend/guard/adaptive_limit.ts";
import type { Backend } from "../backend/backend.ts";
import type { FetchBuffers } from "./fetch_buffers.ts";
import { assert, AssertionError, present } from "../platform/assert.ts";
import type { Memory } from "../platform/libc.ts";
import { TaskGroup } from "../platform/limit.ts";

/** Why bytes are fetched, most urgent first. */
export const FETCH_PRIORITIES = ["demand", "readahead", "directory", "warm"] as const;
export type FetchPriority = (typeof FETCH_PRIORITIES)[number];

/** Bytes of the budget that fetches ahead of demand may use together. */
const AHEAD_BYTES_MAX = 256 * 1024 * 1024;
/** Share of the requests that fetches ahead of demand may use together. */
const AHEAD_SHARE = 0.75;
/** Fetches of each lower class that may wait: some minutes of work for a slow store. */
export const AHEAD_QUEUED_MAX = 256;

type FetchState =
  | { readonly kind: "queued" }
  | { readonly kind: "running"; readonly buffer: Memory }
  | { readonly kind: "filled"; readonly buffer: Memory }
  | { readonly kind: "failed"; readonly error: unknown; readonly buffer: Memory | null };

interface Waiter {
  readonly endBytes: number;
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/** One range on its way from a store. */
export class Fetch {
  readonly path: string;
  readonly version: string;
  readonly offset: number;
  readonly lengthBytes: number;
  priority: FetchPriority;
  readonly controller = new AbortController();
  state: FetchState = { kind: "queued" };
  /** Bytes from the start of the range that have arrived. */
  filledBytes = 0;
  holders = 0;
  /** Bytes from the start of the range that a reader was given. */
  usedBytes = 0;
  /** Nobody but the holders knows the buffer. False when a call that hangs may still read it. */
  reusable = true;
  readonly waiters = new Set<Waiter>();

  constructor(
    path: string,
    version: string,
    offset: number,
    lengthBytes: number,
    priority: FetchPriority,
  ) {
    this.path = path;
    this.version = version;
    this.offset = offset;
    this.lengthBytes = lengthBytes;
    this.priority = priority;
  }

  /** Resolves when the range is there up to `endBytes` from its start. */
  async filledTo(endBytes: number, signal: AbortSignal): Promise<void> {
    if (this.filledBytes >= endBytes) return;
    if (this.state.kind === "failed") throw this.state.error;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        this.waiters.delete(waiter);
        reject(signal.reason);
      };
      const settle = () => signal.removeEventListener("abort", onAbort);
      const waiter: Waiter = {
        endBytes,
        wake: () => {
          settle();
          resolve();
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      };
      this.waiters.add(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The bytes `start` to `end` of the range, which have arrived; valid while the fetch is held. */
  bytes(start: number, end: number): Memory {
    assert(end <= this.filledBytes && this.state.kind !== "queued", "Only what arrived is read");
    return present(this.state.buffer, "buffer of a fetch").subarray(start, end);
  }

  /** Notes that the first `bytes` have arrived, and wakes those who waited for no more. */
  progress(bytes: number): void {
    this.filledBytes = bytes;
    for (const waiter of this.waiters) {
      if (waiter.endBytes > bytes) continue;
      this.waiters.delete(waiter);
      waiter.wake();
    }
  }

  /** Ends the fetch with `error`; what had arrived stays readable. */
  fail(error: unknown): void {
    const buffer = this.state.kind === "running" ? this.state.buffer : null;
    this.state = { kind: "failed", error, buffer };
    for (const waiter of this.waiters) waiter.fail(error);
    this.waiters.clear();
  }
}

/** What a scheduler works with. */
export interface FetchDeps {
  readonly backend: Pick<Backend, "read">;
  readonly buffers: FetchBuffers;
  /** How many requests the store bears; learns from the requests themselves. */
  readonly limit: Pick<AdaptiveLimit, "current">;
  /** The most fetches at once that the configuration allows. */
  readonly fetchesMax: number;
}

/** The fetches of one backend. */
export class FetchScheduler {
  readonly #deps: FetchDeps;
  readonly #queues = new Map<FetchPriority, Set<Fetch>>(
    FETCH_PRIORITIES.map((priority) => [priority, new Set()]),
  );
  readonly #running = new Set<Fetch>();
  /** Memory of fetches that are not released yet. */
  #heldBytes = 0;
  readonly #tasks = new TaskGroup(() => undefined);

  constructor(deps: FetchDeps) {
    this.#deps = deps;
    deps.buffers.whenReturned(() => this.#pump());
  }

  /** Fetches that wait and that run. */
  get size(): { readonly queued: number; readonly running: number } {
    let queued = 0;
    for (const queue of this.#queues.values()) queued += queue.size;
    return { queued, running: this.#running.size };
  }

  /**
   * Whether one more fetch of this class may wait. Who fetches ahead comes back later when not, and
   * nobody is worse off: what waits already is more than the store does soon.
   */
  hasRoom(priority: Exclude<FetchPriority, "demand">): boolean {
    return present(this.#queues.get(priority), "queue of a priority").size < AHEAD_QUEUED_MAX;
  }

  /** Adds a fetch; the caller holds it once and has to release it. */
  submit(fetch: Fetch): void {
    fetch.holders += 1;
    this.#queue(fetch).add(fetch);
    this.#pump();
  }

  /** One more holder of `fetch`; a more urgent one moves it forward. */
  hold(fetch: Fetch, priority: FetchPriority): void {
    fetch.holders += 1;
    if (rank(priority) >= rank(fetch.priority)) return;
    if (this.#queue(fetch).delete(fetch)) {
      fetch.priority = priority;
      this.#queue(fetch).add(fetch);
      this.#pump();
    } else {
      fetch.priority = priority;
    }
  }

  /** Nobody wants `fetch` any more, though it may be held: it fails, now or when its read ends. */
  withdraw(fetch: Fetch): void {
    if (this.#queue(fetch).delete(fetch)) {
      fetch.fail(new DOMException("Nobody waits for this fetch", "AbortError"));
    } else if (fetch.state.kind === "running") {
      fetch.controller.abort();
    }
  }

  /** One holder less. The last one gives the buffer back. */
  release(fetch: Fetch): void {
    assert(fetch.holders > 0, "Only what is held is released");
    fetch.holders -= 1;
    if (fetch.holders > 0) return;
    switch (fetch.state.kind) {
      case "queued":
        this.#queue(fetch).delete(fetch);
        fetch.fail(new DOMException("Nobody waits for this fetch", "AbortError"));
        return;
      case "running":
        return unreachableHolder();
      case "filled":
        this.#giveBack(fetch.state.buffer, fetch.reusable);
        return;
      case "failed":
        if (fetch.state.buffer !== null) this.#giveBack(fetch.state.buffer, false);
    }
  }

  /** Fails what waits and aborts what runs. */
  close(): void {
    for (const queue of this.#queues.values()) {
      for (const fetch of queue) fetch.fail(new DOMException("The mount ends", "AbortError"));
      queue.clear();
    }
    for (const fetch of this.#running) fetch.controller.abort();
  }

  #queue(fetch: Fetch): Set<Fetch> {
    return present(this.#queues.get(fetch.priority), "queue of a priority");
  }

  /** Starts what may start, the most urgent first. */
  #pump(): void {
    for (const priority of FETCH_PRIORITIES) {
      const queue = present(this.#queues.get(priority), "queue of a priority");
      for (const fetch of queue) {
        if (!this.#mayStart(priority, fetch.lengthBytes)) return;
        const buffer = this.#deps.buffers.take(fetch.lengthBytes);
        if (buffer === null) return;
        this.#heldBytes += buffer.buffer.byteLength;
        queue.delete(fetch);
        fetch.state = { kind: "running", buffer };
        this.#running.add(fetch);
        this.#tasks.add(this.#run(fetch, buffer));
      }
    }
  }

  #mayStart(priority: FetchPriority, lengthBytes: number): boolean {
    const { buffers, limit, fetchesMax } = this.#deps;
    const { budgetBytes, takenBytes } = buffers;
    if (this.#heldBytes > 2 * (budgetBytes - takenBytes)) return false;
    const running = this.#running.size;
    const most = Math.min(limit.current, fetchesMax);
    const aheadMost = Math.max(1, Math.floor(most * AHEAD_SHARE));
    if (priority !== "demand") {
      const bytesMost = Math.min(AHEAD_BYTES_MAX, budgetBytes / 2);
      // Where a block is more than the share, one goes alone, or none would ever go.
      return running < aheadMost && (takenBytes === 0 || takenBytes + lengthBytes <= bytesMost);
    }
    // What the limit caught running may take long, and none of it has to be for a reader.
    const caught = running > most && running < fetchesMax;
    return running < most || (caught && this.#demanded() < Math.max(1, most - aheadMost));
  }

  /** Running fetches that a reader waits for. */
  #demanded(): number {
    let count = 0;
    for (const { priority } of this.#running) count += priority === "demand" ? 1 : 0;
    return count;
  }

  #giveBack(buffer: Memory, clean: boolean): void {
    this.#heldBytes -= buffer.buffer.byteLength;
    this.#deps.buffers.giveBack(buffer, clean);
  }

  async #run(fetch: Fetch, buffer: Memory): Promise<void> {
    const { backend } = this.#deps;
    // The run holds the fetch, so that its buffer stays until nobody writes to it any more.
    fetch.holders += 1;
    try {
      await backend.read({
        path: fetch.path,
        version: fetch.version,
        offset: fetch.offset,
        target: buffer,
        onFilled: (bytes) => fetch.progress(bytes),
      }, fetch.controller.signal);
      fetch.state = { kind: "filled", buffer };
      fetch.progress(fetch.lengthBytes);
    } catch (error) {
      fetch.fail(error);
    } finally {
      this.#running.delete(fetch);
      this.release(fetch);
      this.#pump();
    }
  }
}

function unreachableHolder(): never {
  throw new AssertionError("A running fetch is held by its run");
}

function rank(priority: FetchPriority): number {
  return FETCH_PRIORITIES.indexOf(priority);
}
