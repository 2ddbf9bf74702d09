/**
 * Notices operations that make no progress, with one timer for all of them: a timer of each would
 * cost more than the rest of what is done about a small read.
 *
 *     nobody is watched ──first one starts──▶ armed for the earliest ──due──▶ judging
 *             ▲                                   ▲       │                     │
 *             └────────────last one ends──────────┼───────┘                     │
 *                                                 └──────somebody is watched────┘
 */
import type { Clock } from "../../platform/clock.ts";
import { TaskGroup } from "../../platform/limit.ts";

/** An operation that is watched until it is disposed. */
export interface Watched extends Disposable {
  /** It made progress: its time starts anew. */
  moved(): void;
}

interface Entry {
  readonly quietMs: number;
  readonly onQuiet: () => "watch on" | "done";
  startedMs: number;
}

interface Alarm {
  readonly dueMs: number;
  readonly controller: AbortController;
}

/** Ends an alarm; an Error for each would cost more than the alarm. */
const CANCELLED = "cancelled";

/** The operations of one backend, or of one kind. */
export class QuietWatch {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  readonly #alarms = new TaskGroup(() => undefined);
  #alarm: Alarm | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Watches an operation that starts now. `onQuiet` is called when it made no progress for
   * `quietMs`, and says whether to be called again after as long.
   */
  start(quietMs: number, onQuiet: () => "watch on" | "done"): Watched {
    const entry: Entry = { quietMs, onQuiet, startedMs: this.#clock.monotonicMs() };
    this.#entries.add(entry);
    this.#arm(entry.startedMs + quietMs);
    return {
      moved: () => {
        entry.startedMs = this.#clock.monotonicMs();
      },
      [Symbol.dispose]: () => {
        this.#entries.delete(entry);
        if (this.#entries.size > 0) return;
        this.#alarm?.controller.abort(CANCELLED);
        this.#alarm = null;
      },
    };
  }

  #arm(dueMs: number): void {
    if (this.#alarm !== null && this.#alarm.dueMs <= dueMs) return;
    this.#alarm?.controller.abort(CANCELLED);
    const alarm = { dueMs, controller: new AbortController() };
    this.#alarm = alarm;
    this.#alarms.add(this.#ring(alarm));
  }

  async #ring(alarm: Alarm): Promise<void> {
    const { signal } = alarm.controller;
    try {
      // Timers take whole milliseconds.
      const restMs = Math.max(0, Math.ceil(alarm.dueMs - this.#clock.monotonicMs()));
      await this.#clock.sleep(restMs, signal);
      // What arrived while our own loop was busy comes before the judgement.
      await this.#clock.sleep(0, signal);
    } catch {
      return; // Cancelled.
    }
    if (this.#alarm !== alarm) return;
    this.#alarm = null;
    this.#judge();
  }

  #judge(): void {
    const nowMs = this.#clock.monotonicMs();
    let dueMs = Infinity;
    for (const entry of this.#entries) {
      if (entry.startedMs + entry.quietMs <= nowMs) {
        entry.startedMs = nowMs;
        if (entry.onQuiet() === "done") this.#entries.delete(entry);
      }
      if (this.#entries.has(entry)) dueMs = Math.min(dueMs, entry.startedMs + entry.quietMs);
    }
    if (this.#entries.size > 0) this.#arm(dueMs);
  }
}
