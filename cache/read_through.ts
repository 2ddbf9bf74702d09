/** Object versions read straight from their store, with nothing kept. */
import type { Backend, ObjectEntry } from "./backend/backend.ts";
import type { Lease } from "./buffer_pool.ts";
import type { ObjectSource, OpenObject } from "./open_object.ts";
import type { Memory } from "./platform/libc.ts";
import type { SharedWork } from "./shared_work.ts";

/** The objects of one backend. */
export class ReadThrough implements ObjectSource {
  readonly #backend: Backend;
  readonly #reads: SharedWork<Memory>;

  /** `reads` lets callers that ask for the same range share one request. */
  constructor(backend: Backend, reads: SharedWork<Memory>) {
    this.#backend = backend;
    this.#reads = reads;
  }

  open(path: string, entry: ObjectEntry): OpenObject {
    return new RemoteObject(this.#backend, path, entry, this.#reads);
  }

  /** There is nowhere to keep what comes early. */
  prefetch(): void {}

  bring(): Promise<"not kept"> {
    return Promise.resolve("not kept");
  }
}

class RemoteObject implements OpenObject {
  readonly entry: ObjectEntry;
  readonly backingFd = null;
  readonly #backend: Backend;
  readonly #path: string;
  readonly #reads: SharedWork<Memory>;

  constructor(backend: Backend, path: string, entry: ObjectEntry, reads: SharedWork<Memory>) {
    this.entry = entry;
    this.#backend = backend;
    this.#path = path;
    this.#reads = reads;
  }

  readNow(): null {
    return null;
  }

  async read(offset: number, length: number, signal: AbortSignal): Promise<Lease> {
    const { version } = this.entry;
    const key = `${offset}+${length} ${version} ${this.#path}`;
    const bytes = await this.#reads.run(key, signal, async (shared) => {
      const target = new Uint8Array(length);
      const range = { path: this.#path, version, offset, target, onFilled: () => undefined };
      await this.#backend.read(range, shared);
      return target;
    });
    return { bytes, release: () => undefined };
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
