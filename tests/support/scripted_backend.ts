import type { Checksum } from "../../cache/backend/checksum.ts";
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type BackendOperation,
  type Content,
  type Entry,
  type ListPage,
  type ObjectEntry,
  type RangeRead,
} from "../../cache/backend/backend.ts";

/** What the next operation does instead of succeeding. */
export type Step =
  /** Fails, a read after delivering `afterBytes`. */
  | {
    readonly kind: "fail";
    readonly code: BackendErrorCode;
    readonly retryAfterMs: number | null;
    readonly afterBytes: number;
  }
  /** Waits until its signal aborts, a read after delivering `afterBytes`. */
  | { readonly kind: "hang"; readonly afterBytes: number }
  /** As the inner backend does. */
  | { readonly kind: "pass" };

/** One operation that reached the backend. */
export interface Seen {
  readonly operation: BackendOperation;
  readonly path: string;
  readonly offset: number | null;
  readonly signal: AbortSignal;
}

/** Fails with `code` at once. */
export function failing(code: BackendErrorCode, retryAfterMs: number | null = null): Step {
  return { kind: "fail", code, retryAfterMs, afterBytes: 0 };
}

/** A backend that follows a script, step by step, and then behaves as the one inside it. */
export class ScriptedBackend implements Backend {
  readonly name: string;
  readonly provider;
  readonly seen: Seen[] = [];
  /** Steps still to come; taken from the front. */
  readonly steps: Step[] = [];
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.name = inner.name;
    this.provider = inner.provider;
  }

  list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    return this.#step(
      "list",
      directory,
      null,
      signal,
      () => this.#inner.list(directory, token, signal),
    );
  }

  stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    return this.#step("stat", path, null, signal, () => this.#inner.stat(path, signal));
  }

  checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null> {
    const pass = () => this.#inner.checksum(path, version, signal);
    return this.#step("stat", path, null, signal, pass);
  }

  read(range: RangeRead, signal: AbortSignal): Promise<void> {
    return this.#step("read", range.path, range, signal, () => this.#inner.read(range, signal));
  }

  put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    return this.#step("put", path, null, signal, () => this.#inner.put(path, content, signal));
  }

  remove(path: string, signal: AbortSignal): Promise<void> {
    return this.#step("remove", path, null, signal, () => this.#inner.remove(path, signal));
  }

  copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    return this.#step("copy", to, null, signal, () => this.#inner.copy(from, to, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #step<T>(
    operation: BackendOperation,
    path: string,
    range: RangeRead | null,
    signal: AbortSignal,
    pass: () => Promise<T>,
  ): Promise<T> {
    this.seen.push({ operation, path, offset: range?.offset ?? null, signal });
    const step = this.steps.shift() ?? { kind: "pass" };
    if (step.kind === "pass") return await pass();
    if (range !== null && step.afterBytes > 0) {
      const target = range.target.subarray(0, step.afterBytes);
      await this.#inner.read({ ...range, target }, signal);
    }
    if (step.kind === "fail") {
      const { code, retryAfterMs } = step;
      const reason = `it was told to be ${code}`;
      throw new BackendError(code, this.name, operation, path, reason, null, retryAfterMs);
    }
    return await new Promise<T>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}
