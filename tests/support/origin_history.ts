/** What a store has held, and when: the reference against which a file system is judged. */

/** A time between two changes. */
interface Snapshot {
  readonly fromMs: number;
  /** Version of every object, by key. */
  readonly versions: ReadonlyMap<string, string>;
}

/** What one path was at one time; a path can be an object and a directory at once. */
export interface PathState {
  /** Version of the object, or null. */
  readonly version: string | null;
  readonly isDirectory: boolean;
}

/** Every change of a store. */
export class OriginHistory {
  readonly #bytes = new Map<string, Uint8Array>();
  readonly #snapshots: Snapshot[] = [{ fromMs: 0, versions: new Map() }];

  /** Keys that exist now. */
  get keys(): readonly string[] {
    return [...this.#now.versions.keys()];
  }

  /** Takes note that `key` was written. */
  put(key: string, version: string, bytes: Uint8Array, nowMs: number): void {
    this.#bytes.set(version, bytes);
    this.#snapshots.push({
      fromMs: nowMs,
      versions: new Map(this.#now.versions).set(key, version),
    });
  }

  /** Takes note that `key` was deleted. */
  remove(key: string, nowMs: number): void {
    const versions = new Map(this.#now.versions);
    versions.delete(key);
    this.#snapshots.push({ fromMs: nowMs, versions });
  }

  /** The bytes of a version. */
  bytes(version: string): Uint8Array {
    const bytes = this.#bytes.get(version);
    if (bytes === undefined) throw new Error(`There never was a version "${version}"`);
    return bytes;
  }

  /** Whether the store has `version` of `key` now. */
  isCurrent(key: string, version: string): boolean {
    return this.#now.versions.get(key) === version;
  }

  /** Everything `path` was from `sinceMs` until now. */
  statesSince(path: string, sinceMs: number): PathState[] {
    const first = this.#snapshots.findLastIndex(({ fromMs }) => fromMs < sinceMs);
    return this.#snapshots.slice(Math.max(0, first)).map(({ versions }) => ({
      version: versions.get(path) ?? null,
      isDirectory: [...versions.keys()].some((key) => key.startsWith(`${path}/`)),
    }));
  }

  /** Names that were in `directory` all the time since `sinceMs`. */
  lastingNames(directory: string, sinceMs: number): string[] {
    const prefix = directory === "" ? "" : `${directory}/`;
    const now = [...this.#now.versions.keys()].filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length).split("/")[0] ?? "");
    return [...new Set(now)].filter((name) =>
      this.statesSince(prefix + name, sinceMs)
        .every(({ version, isDirectory }) => version !== null || isDirectory)
    );
  }

  get #now(): Snapshot {
    const last = this.#snapshots.at(-1);
    if (last === undefined) throw new Error("There is always a last snapshot");
    return last;
  }
}
