/**
 * Waits for sockets, all on one blocking thread: a `poll` over every descriptor somebody waits for,
 * and over a counter that wakes it when that set changes.
 *
 * A poll in progress holds its files open, so the thread is also woken when a wait is given up.
 */
import { assert } from "../../cache/platform/assert.ts";
import type { Libc } from "../../cache/platform/libc.ts";

/** What to wait for: bytes or clients to take, room to send, or the other end's being gone. */
export type Readiness = "readable" | "writable" | "gone";

/** `poll` reports that the other end is gone (POLLHUP, POLLERR) whether it is asked for or not. */
const EVENTS: Readonly<Record<Readiness, number>> = { readable: 0x1, writable: 0x4, gone: 0 };
const POLLFD_BYTES = 8;

interface Wait {
  readonly fd: number;
  readonly events: number;
  readonly ready: () => void;
}

/** One thread that waits for sockets. */
export class Poller implements AsyncDisposable {
  readonly #libc: Libc;
  readonly #waits = new Set<Wait>();
  readonly #counter: number;
  readonly #running: Promise<void>;
  #state: "polling" | "woken" | "closed" = "polling";

  /** Starts to wait. */
  static open(libc: Libc): Poller {
    return new Poller(libc, libc.sockets.eventCounter());
  }

  private constructor(libc: Libc, counter: number) {
    this.#libc = libc;
    this.#counter = counter;
    this.#running = this.#run();
  }

  /**
   * Resolves when `fd` is ready. The descriptor stays open until then, or until `signal` aborts,
   * with whose reason it rejects.
   */
  async wait(fd: number, readiness: Readiness, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    assert(this.#state !== "closed", "Nobody waits with a closed poller");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wait: Wait = { fd, events: EVENTS[readiness], ready: resolve };
    const onAbort = () => {
      this.#waits.delete(wait);
      this.#wake();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waits.add(wait);
    this.#wake();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends the thread. Every wait has ended before. */
  async [Symbol.asyncDispose](): Promise<void> {
    assert(this.#waits.size === 0, "A poller is closed when nobody waits");
    this.#wake();
    this.#state = "closed";
    await this.#running;
    this.#libc.close(this.#counter);
  }

  async #run(): Promise<void> {
    const count = new Uint8Array(8);
    while (this.#state !== "closed") {
      const waits = [...this.#waits];
      const entries = new Uint8Array((waits.length + 1) * POLLFD_BYTES);
      const view = new DataView(entries.buffer);
      this.#enter(view, 0, this.#counter, EVENTS.readable);
      for (const [index, { fd, events }] of waits.entries()) {
        this.#enter(view, index + 1, fd, events);
      }
      await this.#libc.sockets.pollLater(entries, waits.length + 1, -1);
      if (this.#state === "woken") this.#state = "polling";
      this.#libc.read(this.#counter, count);
      for (const [index, wait] of waits.entries()) {
        const happened = view.getInt16((index + 1) * POLLFD_BYTES + 6, true);
        if (happened !== 0 && this.#waits.delete(wait)) wait.ready();
      }
    }
  }

  #enter(view: DataView, index: number, fd: number, events: number): void {
    view.setInt32(index * POLLFD_BYTES, fd, true);
    view.setInt16(index * POLLFD_BYTES + 4, events, true);
  }

  #wake(): void {
    if (this.#state !== "polling") return;
    this.#state = "woken";
    this.#libc.write(this.#counter, new Uint8Array(new BigUint64Array([1n]).buffer));
  }
}
