/**
 * One plan: what a process is going to read, in order, and how far it has come. Pure: told what
 * was opened or reported, it says what to fetch next and when each file is used next.
 */
import type { ObjectEntry } from "../backend/backend.ts";
import { PlanFiles, type PlannedPath } from "./plan_files.ts";
import { type PassedRange, PlanFront } from "./plan_front.ts";
import { PlanOrder } from "./plan_order.ts";
import { PlanPace } from "./plan_pace.ts";
import { PlanWindow } from "./plan_window.ts";

/** Workers of one job may be so many reads apart, however small the window is, */
const REACH_MIN = 32;
/** and so many when it is large. */
const REACH_MAX = 8_192;

/** A read as it is announced. */
export interface AnnouncedRead extends PlannedPath {
  readonly offset: number;
  /** Infinity reaches to the end. */
  readonly length: number;
}

/** What to do for a plan now. */
export type PlanStep =
  /** Nothing until the reader comes nearer, or the plan grows. */
  | { readonly kind: "wait" }
  /** Find out what is at the file, and tell. */
  | { readonly kind: "look"; readonly file: number }
  | {
    readonly kind: "fetch";
    readonly file: number;
    readonly entry: ObjectEntry;
    readonly offset: number;
    readonly lengthBytes: number;
  };

/** How a plan is getting on. */
export interface PlanProgress {
  readonly position: number;
  readonly end: number;
  readonly readsPerSecond: number | null;
  readonly aheadReads: number;
  readonly aheadBytes: number;
  /** Reads that were announced and left out. */
  readonly skipped: number;
  /** Opens of planned files that the plan did not expect. */
  readonly strays: number;
}

const WAIT: PlanStep = { kind: "wait" };

/** The plan of one process. */
export class Plan {
  readonly files = new PlanFiles();
  readonly pace: PlanPace;
  readonly #order = new PlanOrder();
  readonly #front = new PlanFront(this.#order);
  readonly #window: PlanWindow;
  /** Files whose next use is not what was told last, from `#told` on. */
  #changed: number[] = [];
  #told = 0;
  /** Positions whose files have another next use since a report, which may be far from the last. */
  #range: PassedRange = { first: 0, end: 0 };
  #reports = false;

  /** @param windowBytesMax Bytes to be ahead at most, asked each time. */
  constructor(windowBytesMax: () => number, nowMs: number) {
    this.#window = new PlanWindow(windowBytesMax);
    this.pace = new PlanPace(nowMs);
  }

  get progress(): PlanProgress {
    return {
      position: this.#front.position,
      end: this.#order.end,
      readsPerSecond: this.pace.readsPerSecond,
      aheadReads: this.#window.length,
      aheadBytes: this.#window.bytes,
      skipped: this.#front.skipped,
      strays: this.#front.strays,
    };
  }

  /** Reads in memory. */
  get length(): number {
    return this.#order.length;
  }

  /** Adds `reads` behind all others; they are made `times` times over. */
  append(reads: readonly AnnouncedRead[], times: number): void {
    const planned = reads.map(({ backend, path, offset, length }) => {
      return { file: this.files.add({ backend, path }), offset, length };
    });
    this.#order.append(planned, times);
    for (const { file } of planned) this.#changed.push(file);
  }

  /** The file with `key` was opened; whether that belongs to the plan. */
  opened(key: number, nowMs: number): boolean {
    const file = this.files.find(key);
    if (file === null) return false;
    if (this.#reports) return true;
    const reach = Math.min(REACH_MAX, Math.max(REACH_MIN, this.#window.length));
    for (const position of this.#front.opened(file, reach)) {
      const passed = this.#order.at(position);
      if (passed !== null) this.#changed.push(passed.file);
    }
    this.#moved(nowMs);
    return true;
  }

  /** The reader says what it reads next, and goes on saying so: opens tell nothing from now on. */
  reported(position: number, nowMs: number): void {
    this.#reports = true;
    const { first, end } = this.#front.reported(Math.min(position, this.#order.end));
    const left = this.#range;
    this.#range = left.first === left.end
      ? { first, end }
      : { first: Math.min(left.first, first), end: Math.max(left.end, end) };
    this.#moved(nowMs);
  }

  /** What to do next; a fetch is said once. */
  next(): PlanStep {
    for (;;) {
      const read = this.#order.at(this.#window.cursor);
      if (read === null || !this.#window.hasRoom(0)) return WAIT;
      const { file } = read;
      const state = this.files.state(file);
      if (state === "unknown") return { kind: "look", file };
      const entry = this.files.entryOf(file);
      const bytes = Math.min(read.length, Math.max(0, this.files.sizeOf(file) - read.offset));
      const lengthBytes = this.#window.cut(bytes);
      if (!this.#window.hasRoom(lengthBytes)) return WAIT;
      this.#window.take(lengthBytes);
      if (entry === null || lengthBytes === 0) continue;
      return { kind: "fetch", file, entry, offset: read.offset, lengthBytes };
    }
  }

  /** Files of the next `reads` reads at which nobody has looked. */
  unknownAhead(reads: number): readonly number[] {
    const { cursor } = this.#window;
    const files = Array.from({ length: reads }, (_, i) => this.#order.at(cursor + i)?.file);
    return [...new Set(files)].filter((file) => file !== undefined)
      .filter((file) => this.files.state(file) === "unknown");
  }

  /** When the file with `key` is used next; Infinity when it is not, as far as this plan knows. */
  nextUseMs(key: number): number {
    const file = this.files.find(key);
    if (file === null) return Infinity;
    const position = this.#front.nextUse(file);
    return position === Infinity ? Infinity : this.pace.dueMs(position);
  }

  /** The next read of the file with `key`; null when there is none, as far as this plan knows. */
  nextRead(key: number): number | null {
    const file = this.files.find(key);
    const position = file === null ? Infinity : this.#front.nextUse(file);
    return position === Infinity ? null : position;
  }

  /** Draws times anew where the pace has changed; whether all that were given out are wrong. */
  follow(nowMs: number): boolean {
    return this.pace.follow(this.#front.high, nowMs);
  }

  /** At most `count` files whose next use is not what was told last; none when all are told. */
  takeChanged(count: number): readonly number[] {
    const files = this.#changed.slice(this.#told, this.#told + count);
    this.#told += files.length;
    if (this.#told === this.#changed.length) {
      this.#changed = [];
      this.#told = 0;
    }
    const { first, end } = this.#range;
    const last = Math.min(end, first + count - files.length);
    this.#range = { first: last, end };
    for (let position = first; position < last; position += 1) {
      const passed = this.#order.at(position);
      // Forgotten meanwhile, or announced twice: to tell one file once more does no harm.
      files.push(passed?.file ?? 0);
    }
    return files;
  }

  #moved(nowMs: number): void {
    this.pace.advanced(this.#front.high, nowMs);
    this.#window.follow(this.#front.high);
    this.#order.dropBefore(this.#front.position - REACH_MAX);
  }
}
