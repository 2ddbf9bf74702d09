/** The store of the model test with everything it ever held, and how it answers at the moment. */
import { BackendError, type ObjectEntry, type RangeRead } from "../../cache/backend/backend.ts";
import { type ChangeStep, FILES, type StoreState } from "./cache_model_steps.ts";
import { sampleBytes } from "./sample_bytes.ts";
import { WatchedBackend } from "./watched_backend.ts";

/** Bytes of all versions: each is a stretch of these, which begins where no other does. */
const POOL_BYTES = 4 << 20;
/** A prime, so that no two versions agree at offsets a multiple of any block apart. */
const STRETCH_BYTES = 1_009;
const NEVER = new AbortController().signal;

/** A version of an object. */
export interface StoredVersion {
  readonly path: string;
  readonly entry: ObjectEntry;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** The store. */
export class ModelStore {
  readonly backend = new WatchedBackend();
  readonly #pool = sampleBytes(POOL_BYTES, 7);
  /** The last version of each path that was there, and whether it still is. */
  readonly #last = new Map<
    string,
    { readonly version: StoredVersion; readonly current: boolean }
  >();
  #versions = 0;
  #reads = 0;
  #running = 0;
  #state: StoreState = "up";

  constructor() {
    for (let file = 0; file < FILES; file += 1) {
      // One in three has a size of ordinary objects, which enter the cache as a whole or not.
      this.#overwrite(file, 40_000 + 170_001 * file);
    }
    this.backend.answering = async (range, _signal, pass) => {
      this.#running += 1;
      try {
        await this.#answer(range, pass);
      } finally {
        this.#running -= 1;
      }
    };
  }

  get state(): StoreState {
    return this.#state;
  }

  set state(state: StoreState) {
    this.#state = state;
  }

  /** Whether reads may fail though the version is there. */
  get failing(): boolean {
    return this.#state === "down" || this.#state === "breaking";
  }

  /** What `file` is now, or was last. */
  version(file: number): StoredVersion {
    const last = this.#last.get(pathOf(file));
    if (last === undefined) throw new Error(`There never was a file ${file}`);
    return last.version;
  }

  /** Whether the store has exactly this version now. */
  isCurrent({ path, entry }: StoredVersion): boolean {
    const last = this.#last.get(path);
    return last?.current === true && last.version.entry.version === entry.version;
  }

  /** No read waits for its answer. */
  async idle(): Promise<void> {
    do {
      await new Promise((resolve) => setTimeout(resolve, 1));
    } while (this.#running > 0);
  }

  async change(step: ChangeStep): Promise<void> {
    if (step.op === "overwrite") return this.#overwrite(step.file, step.sizeBytes);
    const version = this.version(step.file);
    this.#last.set(version.path, { version, current: false });
    await this.backend.remove(version.path, NEVER);
  }

  #overwrite(file: number, sizeBytes: number): void {
    const path = pathOf(file);
    this.#versions += 1;
    const start = (this.#versions * STRETCH_BYTES) % (POOL_BYTES - sizeBytes);
    const content = this.#pool.subarray(start, start + sizeBytes);
    const version = { path, content, entry: this.backend.seed(path, content) };
    this.#last.set(path, { version, current: true });
  }

  async #answer(range: RangeRead, pass: () => Promise<void>): Promise<void> {
    this.#reads += 1;
    switch (this.#state) {
      case "up":
        return await pass();
      case "reordering":
        // The later of two comes first.
        await new Promise((resolve) => setTimeout(resolve, 6 - 3 * (this.#reads % 3)));
        return await pass();
      case "breaking":
        if (this.#reads % 3 === 0) return await pass();
        if (this.#reads % 3 === 1) this.#half(range);
        throw this.#outage(range.path);
      case "down":
        throw this.#outage(range.path);
    }
  }

  /** Half of the answer, as from a connection that then breaks. */
  #half({ path, version, offset, target, onFilled }: RangeRead): void {
    const last = this.#last.get(path);
    if (last?.current !== true || last.version.entry.version !== version) return;
    const length = Math.floor(target.length / 2);
    target.set(last.version.content.subarray(offset, offset + length));
    onFilled(length);
  }

  #outage(path: string): BackendError {
    return new BackendError("unavailable", "store", "read", path, "the test wants an outage");
  }
}

function pathOf(file: number): string {
  return `directory${file % 2}/file${file}`;
}
