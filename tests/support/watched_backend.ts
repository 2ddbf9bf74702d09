/** A store in memory that tells what it was asked, and answers in the way a test wants. */
import type { RangeRead } from "../../cache/backend/backend.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import { systemClock } from "../../cache/platform/clock.ts";

/** A range that was asked for. */
export interface WatchedRead {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** How a read is answered; `pass` answers as the store in memory does. */
export type Answering = (
  range: RangeRead,
  signal: AbortSignal,
  pass: () => Promise<void>,
) => Promise<void>;

/** The store. */
export class WatchedBackend extends MemoryBackend {
  readonly reads: WatchedRead[] = [];
  answering: Answering = (_range, _signal, pass) => pass();

  constructor(name = "store") {
    super(name, { pageSize: 1_000, pieceBytes: 1 << 20 }, systemClock);
  }

  /** Bytes asked for so far. */
  get bytesRead(): number {
    return this.reads.reduce((sum, { length }) => sum + length, 0);
  }

  override async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    this.reads.push({ path: range.path, offset: range.offset, length: range.target.length });
    await this.answering(range, signal, () => super.read(range, signal));
  }
}

/** Answers that wait until they are let go, in whatever order. */
export class HeldAnswers {
  readonly waiting: { readonly range: RangeRead; readonly letGo: () => void }[] = [];

  readonly answering: Answering = async (range, signal, pass) => {
    const go = Promise.withResolvers<void>();
    const onAbort = () => go.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.waiting.push({ range, letGo: go.resolve });
    try {
      await go.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    await pass();
  };

  /** Lets all go that wait, the last one first. */
  letGo(): void {
    for (const { letGo } of this.waiting.splice(0).reverse()) letGo();
  }
}
