/**
 * The second request of a hedged read, into a buffer of its own; `hedged.ts` says when there is one
 * and whose bytes are used.
 */
import { AbortScope } from "../abort_scope.ts";
import type { Backend, RangeRead } from "../backend.ts";
import type { Memory } from "../../platform/libc.ts";

/** Whether the read was finished by its second request. */
export type HedgeResult = "won" | "lost";

/** Why one of two requests was aborted: the other moved first, or the read has ended. */
export const OVERTAKEN = "overtaken";

/** Whom a hedge tells. */
export interface HedgeListener {
  /** Bytes `from` to `to` of its buffer are there. */
  readonly moved: (from: number, to: number) => void;
  /** Called once, when nothing of it is left running. */
  readonly ended: (result: HedgeResult, clean: boolean) => void;
}

/** A second request for the part of `range` behind its first `doneBytes`. */
export class Hedge {
  /** It waits, or its bytes are the ones that are used, or it was given up. */
  state: "waits" | "leads" | "given up" = "waits";
  /** Settles with what it failed with, or null when it filled its buffer. */
  readonly failure: Promise<{ readonly error: unknown } | null>;
  readonly #scope: AbortScope;
  readonly #listener: HedgeListener;

  constructor(
    inner: Backend,
    range: RangeRead,
    doneBytes: number,
    target: Memory,
    signal: AbortSignal,
    listener: HedgeListener,
  ) {
    this.#listener = listener;
    this.#scope = new AbortScope(signal);
    let movedBytes = 0;
    this.failure = inner.read({
      path: range.path,
      version: range.version,
      offset: range.offset + doneBytes,
      target,
      onFilled: (bytes) => {
        if (this.state === "given up") return;
        this.state = "leads";
        listener.moved(movedBytes, bytes);
        movedBytes = bytes;
      },
    }, this.#scope.signal).then(() => null, (error: unknown) => ({ error }));
  }

  /** The first request moved, so this one is not needed. */
  giveUp(): void {
    this.state = "given up";
    this.#scope.abort(OVERTAKEN);
  }

  /** The read has ended: nothing of the hedge goes on. */
  async end(): Promise<void> {
    this.#scope.abort(OVERTAKEN);
    const failure = await this.failure;
    this.#scope[Symbol.dispose]();
    const won = this.state === "leads" && failure === null;
    this.#listener.ended(won ? "won" : "lost", failure === null);
  }
}
