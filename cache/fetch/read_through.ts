/**
 * Object versions read straight from their store, with nothing kept. Who asks for a range that is
 * on its way waits for the same fetch; memory is taken when a fetch starts, from the one budget.
 *
 *     wanted ──the last reader leaves before its bytes are there──▶ lingering ──5 s──▶ given up
 *        │  ▲                                                            │
 *        │  └──────somebody comes back, perhaps after they arrived───────┘
 *        └──a reader was given the bytes, or the fetch failed──▶ forgotten when the last has left
 */
import type { ObjectEntry } from "../backend/backend.ts";
import type { Lease } from "./buffer_pool.ts";
import { Fetch, type FetchScheduler } from "./fetch.ts";
import type { ObjectSource, OpenObject } from "../object/open_object.ts";
import type { Clock } from "../platform/clock.ts";
import { TaskGroup } from "../platform/limit.ts";

/** A reader that a timer signal interrupts asks again within milliseconds. */
const LINGER_MS = 5_000;

interface SharedFetch {
  readonly fetch: Fetch;
  readers: number;
  /** Nobody has to come back for it: somebody was given its bytes, or it failed. */
  over: boolean;
  /** Ends the lingering, while nobody waits. */
  linger: AbortController | null;
}

/** The objects of one backend. */
export class ReadThrough implements ObjectSource {
  readonly #scheduler: FetchScheduler;
  readonly #clock: Clock;
  readonly #shared = new Map<string, SharedFetch>();
  readonly #lingering = new TaskGroup(() => undefined);

  constructor(scheduler: FetchScheduler, clock: Clock) {
    this.#scheduler = scheduler;
    this.#clock = clock;
  }

  open(path: string, entry: ObjectEntry): OpenObject {
    return new RemoteObject(entry, (offset, length, signal) => {
      return this.#read(new Fetch(path, entry.version, offset, length, "demand"), signal);
    });
  }

  /** There is nowhere to keep what comes early. */
  prefetch(): void {}

  bring(): Promise<"not kept"> {
    return Promise.resolve("not kept");
  }

  keptBytes(): Promise<null> {
    return Promise.resolve(null);
  }

  async #read(wanted: Fetch, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const { offset, lengthBytes, version, path } = wanted;
    const key = `${offset}+${lengthBytes} ${version} ${path}`;
    const known = this.#shared.get(key);
    const shared = known === undefined || known.fetch.state.kind === "failed"
      ? this.#begin(key, wanted)
      : known;
    shared.linger?.abort();
    shared.linger = null;
    shared.readers += 1;
    const { fetch } = shared;
    try {
      await fetch.filledTo(lengthBytes, signal);
      shared.over = true;
      this.#scheduler.hold(fetch, "demand");
      const release = () => this.#scheduler.release(fetch);
      return { bytes: fetch.bytes(0, lengthBytes), release };
    } catch (error) {
      if (fetch.state.kind === "failed") shared.over = true;
      throw error;
    } finally {
      shared.readers -= 1;
      if (shared.readers === 0) this.#lastLeft(key, shared);
    }
  }

  #begin(key: string, fetch: Fetch): SharedFetch {
    const shared: SharedFetch = { fetch, readers: 0, over: false, linger: null };
    this.#shared.set(key, shared);
    this.#scheduler.submit(fetch);
    return shared;
  }

  #lastLeft(key: string, shared: SharedFetch): void {
    if (shared.over) this.#forget(key, shared);
    else this.#lingering.add(this.#linger(key, shared));
  }

  async #linger(key: string, shared: SharedFetch): Promise<void> {
    const linger = new AbortController();
    shared.linger = linger;
    try {
      await this.#clock.sleep(LINGER_MS, linger.signal);
    } catch {
      return; // Somebody came back.
    }
    this.#forget(key, shared);
  }

  #forget(key: string, shared: SharedFetch): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    this.#scheduler.withdraw(shared.fetch);
    this.#scheduler.release(shared.fetch);
  }
}

class RemoteObject implements OpenObject {
  readonly backingFd = null;

  constructor(readonly entry: ObjectEntry, readonly read: OpenObject["read"]) {}

  readNow(): null {
    return null;
  }

  /** An object is all data with its hole at the end. */
  seek(offset: number, whence: "data" | "hole"): number {
    return whence === "data" ? offset : this.entry.sizeBytes;
  }

  status(): ObjectEntry {
    return this.entry;
  }

  passedThrough(): void {}

  close(): void {}
}
