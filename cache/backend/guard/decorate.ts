/**
 * The one shape of backend decorators that treat every operation alike: a function around a call.
 * `open.ts` stacks them.
 */
import type { Backend, BackendOperation, Content, RangeRead } from "../backend.ts";

/** One operation about to run. */
export interface Call<T> {
  readonly operation: BackendOperation;
  readonly path: string;
  /** The caller's. */
  readonly signal: AbortSignal;
  /**
   * Runs the operation on the inner backend; may be called again after it rejected.
   *
   * @param signal The caller's, or one that follows it.
   * @param onProgress Told each time more bytes have moved: those of a read as they arrive, those
   * of a put as they are taken.
   */
  readonly run: (signal: AbortSignal, onProgress: (bytes: number) => void) => Promise<T>;
}

/** Wraps a call; settles as the decorated operation does. */
export type Around = <T>(call: Call<T>) => Promise<T>;

/** `inner` with every operation run through `around`. Closing it closes `inner`. */
export function decorate(inner: Backend, around: Around): Backend {
  return {
    name: inner.name,
    provider: inner.provider,
    list: (path, token, signal) =>
      around({ operation: "list", path, signal, run: (own) => inner.list(path, token, own) }),
    stat: (path, signal) =>
      around({ operation: "stat", path, signal, run: (own) => inner.stat(path, own) }),
    checksum: (path, version, signal) =>
      around({
        operation: "stat",
        path,
        signal,
        run: (own) => inner.checksum(path, version, own),
      }),
    read: (range, signal) =>
      around({
        operation: "read",
        path: range.path,
        signal,
        run: (own, onProgress) => inner.read(observedRange(range, onProgress), own),
      }),
    put: (path, content, signal) =>
      around({
        operation: "put",
        path,
        signal,
        run: (own, onProgress) => inner.put(path, observedContent(content, onProgress), own),
      }),
    remove: (path, signal) =>
      around({ operation: "remove", path, signal, run: (own) => inner.remove(path, own) }),
    copy: (from, to, signal) =>
      around({ operation: "copy", path: to, signal, run: (own) => inner.copy(from, to, own) }),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

function observedRange(range: RangeRead, onProgress: (bytes: number) => void): RangeRead {
  let seenBytes = 0;
  return {
    path: range.path,
    version: range.version,
    offset: range.offset,
    target: range.target,
    onFilled: (filledBytes) => {
      onProgress(filledBytes - seenBytes);
      seenBytes = filledBytes;
      range.onFilled(filledBytes);
    },
  };
}

function observedContent(content: Content, onProgress: (bytes: number) => void): Content {
  return {
    sizeBytes: content.sizeBytes,
    async *open() {
      for await (const chunk of content.open()) {
        onProgress(chunk.length);
        yield chunk;
      }
    },
  };
}
