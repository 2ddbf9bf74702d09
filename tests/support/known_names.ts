/** Names kept in a real index, without a worker and without a cache. */
import { BlockIndex } from "../../cache/index/block_index.ts";
import { CacheDiskError } from "../../cache/disk/cache_disk_error.ts";
import type { CacheState } from "../../cache/disk/cache_health.ts";
import { IndexedNames } from "../../cache/index/known_names.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";
import { FakeClock } from "./fake_clock.ts";

/** An index in a place of its own; any number of processes may use it, one after the other. */
export class NamesPlace implements AsyncDisposable {
  readonly index: BlockIndex;
  /** Calls of the index, in order: the method and what path it was about. */
  readonly calls: string[] = [];
  /** What the health of the cache was told. */
  readonly failures: unknown[] = [];
  readonly errors: unknown[] = [];
  /** Every call fails as on a broken disk. */
  isBroken = false;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.index = BlockIndex.open({
      path: `${directory}/index.sqlite`,
      firstId: 1,
      listings: { rowsMax: 1_000, bytesMax: 10_000_000 },
      onDamage: (reason) => this.errors.push(reason),
    });
  }

  static async open(): Promise<NamesPlace> {
    return new NamesPlace(await Deno.makeTempDir({ prefix: "warpdrive-names-" }));
  }

  /** The names as one process has them. */
  names(clock: FakeClock): IndexedNames {
    const { index } = this;
    const state = (): CacheState =>
      this.failures.length === 0
        ? { kind: "working" }
        : { kind: "bypassed", sinceMs: 0, reason: "it is broken" };
    return new IndexedNames({
      clock,
      tasks: new TaskGroup((error) => this.errors.push(error)),
      health: {
        get state() {
          return state();
        },
        failed: (error) => this.failures.push(error),
      },
      index: {
        listing: (backend, path) => this.#call("listing", path, () => index.listing(backend, path)),
        putListing: (backend, path, listing) =>
          this.#call("putListing", path, () => index.putListing(backend, path, listing)),
        removeListing: (backend, path) =>
          this.#call("removeListing", path, () => index.removeListing(backend, path)),
        children: (backend, path, token, limit) =>
          this.#call("children", path, () => index.children(backend, path, token, limit)),
        versionsOf: (backend, path) =>
          this.#call("versionsOf", path, () => index.versionsOf(backend, path)),
      },
    });
  }

  /** Paths whose listings were written. */
  get written(): readonly string[] {
    return this.calls.filter((call) => call.startsWith("putListing "))
      .map((call) => call.slice("putListing ".length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.index.close();
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #call<T>(method: string, path: string, run: () => T): Promise<T> {
    this.calls.push(`${method} ${path}`);
    await Promise.resolve();
    if (this.isBroken) throw new CacheDiskError("failed", method, path, "it is broken");
    return run();
  }
}
