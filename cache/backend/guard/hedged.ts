/**
 * Asks a second time for a range that has gone quiet, and goes on with whoever answers first
 * (Dean and Barroso, "The Tail at Scale", 2013).
 *
 *     first alone ──quiet too long──▶ both ──first moves───▶ first alone, hedge aborted: lost
 *                                      ├────hedge moves───▶ hedge alone, first aborted: won
 *                                      └────first fails───▶ hedge alone
 *
 * Invariants:
 * 1. The target belongs to the first request until that has ended or its signal has aborted, which
 *    is when a provider leaves a target alone. The hedge fills a buffer of its own; what arrives
 *    there is copied, and announced, only after that moment.
 * 2. The hedge asks for what had not been announced when it was sent, of the same version. So what
 *    was announced stays, and the announced bytes only grow.
 * 3. A read has one hedge at most. One that was given up has a buffer that is not used again.
 * 4. A hedge needs something to spare: a share of what was read before, a turn, memory, and a store
 *    that neither is as busy as it can bear nor asked to slow down lately.
 */
import { AbortScope } from "../abort_scope.ts";
import type { AdaptiveLimit } from "./adaptive_limit.ts";
import { type Backend, BackendError, type RangeRead } from "../backend.ts";
import { decorate } from "./decorate.ts";
import { Hedge, type HedgeResult, OVERTAKEN } from "./hedge.ts";
import { HedgeBudget } from "./hedge_budget.ts";
import { QuietWatch, type Watched } from "./quiet_watch.ts";
import { RecentPauses } from "./recent_pauses.ts";
import { isPassing } from "./retry.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Memory } from "../../platform/libc.ts";
import type { Semaphore } from "../../platform/limit.ts";

/** Where hedges get their buffers. */
export interface HedgeMemory {
  /** A buffer of `length` bytes, or null when there is no room for one. */
  take(length: number): Memory | null;
  /** Gives a buffer back; `clean` when nobody can write to it any more. */
  giveBack(buffer: Memory, clean: boolean): void;
}

/** For those who read nothing. */
export const NO_HEDGE_MEMORY: HedgeMemory = { take: () => null, giveBack: () => undefined };

/** What hedging works with. */
export interface HedgeDeps {
  readonly clock: Clock;
  readonly limit: Pick<AdaptiveLimit, "spare">;
  /** Turns of requests to the store; the first request of a read has one already. */
  readonly turns: Pick<Semaphore, "tryAcquire">;
  readonly memory: HedgeMemory;
  readonly onHedge: (result: HedgeResult) => void;
}

/** `inner` with reads that stall asked for a second time. */
export function hedged(inner: Backend, deps: HedgeDeps): Backend {
  const pauses = new RecentPauses();
  const budget = new HedgeBudget();
  const watch = new QuietWatch(deps.clock);
  return {
    ...decorate(inner, (call) => call.run(call.signal, () => {})),
    read: async (range, signal) => {
      budget.earn(range.target.length);
      const read = new HedgedRead(inner, range, signal, budget, deps);
      try {
        await read.run(watch, pauses.unusualMs);
      } finally {
        pauses.note(read.pauseMs);
      }
    },
  };
}

class HedgedRead {
  readonly #inner: Backend;
  readonly #range: RangeRead;
  readonly #signal: AbortSignal;
  readonly #budget: HedgeBudget;
  readonly #deps: HedgeDeps;
  #hedge: Hedge | null = null;
  #watched: Watched | null = null;
  /** Announced so far. */
  #filledBytes = 0;
  #movedMs: number;
  #pauseMs = 0;

  constructor(
    inner: Backend,
    range: RangeRead,
    signal: AbortSignal,
    budget: HedgeBudget,
    deps: HedgeDeps,
  ) {
    this.#inner = inner;
    this.#range = range;
    this.#signal = signal;
    this.#budget = budget;
    this.#deps = deps;
    this.#movedMs = deps.clock.monotonicMs();
  }

  /** The longest time without progress so far. */
  get pauseMs(): number {
    return Math.max(this.#pauseMs, this.#deps.clock.monotonicMs() - this.#movedMs);
  }

  /** Reads, with a hedge after `quietMs` without progress; null: without. */
  async run(watch: QuietWatch, quietMs: number | null): Promise<void> {
    using first = new AbortScope(this.#signal);
    using watched = quietMs === null ? null : watch.start(quietMs, () => this.#whenQuiet(first));
    this.#watched = watched;
    try {
      await this.#inner.read({
        ...this.#range,
        onFilled: (bytes) => {
          if (this.#hedge?.state === "leads") return;
          this.#hedge?.giveUp();
          this.#moved(bytes);
        },
      }, first.signal);
    } catch (error) {
      await this.#goOnWithHedge(error);
    } finally {
      await this.#hedge?.end();
    }
  }

  #moved(filledBytes: number): void {
    this.#pauseMs = this.pauseMs;
    this.#movedMs = this.#deps.clock.monotonicMs();
    this.#watched?.moved();
    this.#filledBytes = filledBytes;
    this.#range.onFilled(filledBytes);
  }

  /** Sends the hedge, if there is enough to spare, or else later. */
  #whenQuiet(first: AbortScope): "watch on" | "done" {
    const { limit, turns, memory, onHedge } = this.#deps;
    const doneBytes = this.#filledBytes;
    const lengthBytes = this.#range.target.length - doneBytes;
    if (lengthBytes === 0 || !limit.spare || !this.#budget.affords(lengthBytes)) {
      return "watch on";
    }
    const turn = turns.tryAcquire();
    if (turn === null) return "watch on";
    const buffer = memory.take(lengthBytes);
    if (buffer === null) {
      turn[Symbol.dispose]();
      return "watch on";
    }
    this.#budget.spend(lengthBytes);
    const target = this.#range.target.subarray(doneBytes);
    this.#hedge = new Hedge(this.#inner, this.#range, doneBytes, buffer, this.#signal, {
      moved: (from, to) => {
        first.abort(OVERTAKEN);
        target.set(buffer.subarray(from, to), from);
        this.#moved(doneBytes + to);
      },
      ended: (result, clean) => {
        turn[Symbol.dispose]();
        memory.giveBack(buffer, clean);
        onHedge(result);
      },
    });
    return "done";
  }

  /** The first request ended with `error`; returns when the hedge has filled the target instead. */
  async #goOnWithHedge(error: unknown): Promise<void> {
    const hedge = this.#hedge;
    const passing = error instanceof BackendError && isPassing(error);
    if (hedge === null || (hedge.state !== "leads" && !passing)) throw error;
    const failure = await hedge.failure;
    if (failure !== null) throw hedge.state === "leads" ? failure.error : error;
  }
}
