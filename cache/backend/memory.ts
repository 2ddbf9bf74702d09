/** A store in memory: the whole contract without a server, for tests of everything above it. */
import { createHash } from "node:crypto";
import type { Checksum } from "./checksum.ts";
import {
  type Backend,
  BackendError,
  type BackendOperation,
  baseName,
  type Content,
  type DirectoryEntry,
  type Entry,
  listableName,
  type ListPage,
  type ObjectEntry,
  type RangeRead,
} from "./backend.ts";
import { isUnicodeName } from "../platform/byte_name.ts";
import type { Clock } from "../platform/clock.ts";

interface Stored {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

/** How a memory backend behaves. */
export interface MemorySettings {
  /** Entries of one page of a listing. */
  readonly pageSize: number;
  /** Bytes a read delivers at once, so that versions can change between two pieces. */
  readonly pieceBytes: number;
}

/** An object store of plain keys, like the ones in the cloud. */
export class MemoryBackend implements Backend {
  readonly name: string;
  readonly provider = "memory";
  readonly #settings: MemorySettings;
  readonly #clock: Clock;
  readonly #objects = new Map<string, Stored>();
  #versions = 0;

  constructor(name: string, settings: MemorySettings, clock: Clock) {
    this.name = name;
    this.#settings = settings;
    this.#clock = clock;
  }

  async list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    await this.#turn(signal);
    const prefix = directory === "" ? "" : `${directory}/`;
    const entries = new Map<string, Entry>();
    let unlistable = 0;
    let last = token;
    for (const [unit, key] of this.#units(prefix, token)) {
      if (entries.size + unlistable === this.#settings.pageSize) {
        return { entries: [...entries.values()], next: last, unlistable };
      }
      last = unit;
      const isPrefix = unit.endsWith("/");
      const name = unit.slice(prefix.length, isPrefix ? -1 : undefined);
      if (!listableName(name)) unlistable += 1;
      else entries.set(name, isPrefix ? directoryEntry(name) : this.#stored(key).entry);
    }
    return { entries: [...entries.values()], next: null, unlistable };
  }

  async stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    await this.#turn(signal);
    if (path === "") return directoryEntry("");
    for (const key of this.#objects.keys()) {
      if (key.startsWith(`${path}/`)) return directoryEntry(baseName(path));
    }
    return this.#objects.get(path)?.entry ?? null;
  }

  async checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null> {
    await this.#turn(signal);
    const stored = this.#objects.get(path);
    if (stored?.entry.version !== version) return null;
    return { digest: "md5", hex: createHash("md5").update(stored.bytes).digest("hex") };
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    for (let filled = 0; filled < range.target.length;) {
      await this.#turn(signal);
      const stored = this.#objects.get(range.path);
      if (stored?.entry.version !== range.version) {
        const now = stored === undefined ? "deleted" : "overwritten";
        throw this.#error(
          "changed",
          "read",
          range.path,
          `the object was ${now} since it was opened`,
        );
      }
      const start = range.offset + filled;
      const length = Math.min(this.#settings.pieceBytes, range.target.length - filled);
      if (start + length > stored.bytes.length) {
        throw this.#error("invalid", "read", range.path, "the range ends behind the object");
      }
      range.target.set(stored.bytes.subarray(start, start + length), filled);
      filled += length;
      range.onFilled(filled);
    }
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    this.#requireKey("put", path);
    const bytes = new Uint8Array(content.sizeBytes);
    let length = 0;
    for await (const chunk of content.open()) {
      await this.#turn(signal);
      if (length + chunk.length <= bytes.length) bytes.set(chunk, length);
      length += chunk.length;
    }
    if (length !== bytes.length) {
      const reason = `${length} bytes where ${bytes.length} were announced`;
      throw this.#error("invalid", "put", path, reason);
    }
    await this.#turn(signal);
    return this.#store(path, bytes);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    await this.#turn(signal);
    this.#objects.delete(path);
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    this.#requireKey("copy", to);
    await this.#turn(signal);
    const source = this.#objects.get(from);
    if (source === undefined) {
      throw this.#error("not_found", "copy", to, `there is no object "${from}" to copy`);
    }
    return this.#store(to, source.bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.#objects.clear();
  }

  /** Stores an object under any key, also one that no path can name, and returns it. */
  seed(key: string, bytes: Uint8Array<ArrayBuffer>): ObjectEntry {
    return this.#store(key, bytes);
  }

  /** Lets others run, as any network would, and notices an abort. */
  async #turn(signal: AbortSignal): Promise<void> {
    await Promise.resolve();
    signal.throwIfAborted();
  }

  /** What a listing of `prefix` is made of, sorted: keys, and the prefixes of deeper ones. */
  *#units(prefix: string, after: string | null): Iterable<[unit: string, key: string]> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    let previous = after;
    for (const key of keys) {
      // The placeholder `dir/` is the very directory that is listed.
      if (key === prefix) continue;
      const slash = key.indexOf("/", prefix.length);
      const unit = slash === -1 ? key : key.slice(0, slash + 1);
      if (previous !== null && unit <= previous) continue;
      previous = unit;
      yield [unit, key];
    }
  }

  #stored(key: string): Stored {
    const stored = this.#objects.get(key);
    if (stored === undefined) throw this.#error("not_found", "list", key, "it was just deleted");
    return stored;
  }

  #store(key: string, bytes: Uint8Array<ArrayBuffer>): ObjectEntry {
    this.#versions += 1;
    const version = `v${this.#versions}`;
    const ms = Math.floor(this.#clock.wallMs());
    const entry: ObjectEntry = {
      kind: "object",
      name: baseName(key),
      sizeBytes: bytes.length,
      modified: { seconds: Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1_000_000 },
      version,
      etag: version,
      posix: null,
    };
    this.#objects.set(key, { bytes, entry });
    return entry;
  }

  #requireKey(operation: BackendOperation, path: string): void {
    if (isUnicodeName(path) && path.split("/").every(listableName)) return;
    throw this.#error("invalid", operation, path, "no object can have this name");
  }

  #error(
    code: BackendError["code"],
    operation: BackendOperation,
    path: string,
    reason: string,
  ): BackendError {
    return new BackendError(code, this.name, operation, path, reason);
  }
}

function directoryEntry(name: string): DirectoryEntry {
  return { kind: "directory", name, modified: null, posix: null };
}
