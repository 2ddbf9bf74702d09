/** The plans of a mount over a real cache and a store in memory, and readers without a kernel. */
import { equal } from "node:assert/strict";
import type { Entry, ObjectEntry } from "../../cache/backend/backend.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { SharedWork } from "../../cache/fetch/shared_work.ts";
import { Listings } from "../../mount/fs/listings.ts";
import type { Volume } from "../../mount/fs/volume.ts";
import { buildNamespace } from "../../mount/namespace.ts";
import { Plans, type ReadsTaken } from "../../mount/plans.ts";
import { cachePlace, CacheProcess, type CacheProcessSettings, readsAs } from "./cache_process.ts";
import { collectedLog } from "./collected_log.ts";
import { sampleBytes } from "./sample_bytes.ts";
import { WatchedBackend } from "./watched_backend.ts";

/** Whom the jobs of a test run as. */
export const JOB_UID = 1_000;
const NEVER = new AbortController().signal;

/** What belongs to one test. */
export class PlannedStore implements AsyncDisposable {
  readonly backend = new WatchedBackend();
  readonly plans: Plans;
  readonly process: CacheProcess;
  readonly #volume: Volume;
  readonly #owned: AsyncDisposableStack;

  private constructor(process: CacheProcess, owned: AsyncDisposableStack, backend: WatchedBackend) {
    this.backend = backend;
    this.process = process;
    this.#owned = owned;
    this.#volume = {
      name: backend.name,
      mountPath: backend.name,
      backend,
      objects: process.source,
      files: null,
      statuses: new SharedWork<Entry | null>(systemClock, 0),
      offline: null,
    };
    const { logger } = collectedLog();
    const volumes = [this.#volume];
    this.plans = new Plans({
      tree: { mountPoint: "/mnt", space: buildNamespace(volumes) },
      readability: {
        defaults: { uid: 0, gid: 0, fileMode: 0o444, directoryMode: 0o555 },
        allowOther: true,
        mountUid: 0,
      },
      cache: process.cache,
      volumes: new Map([[backend.name, this.#volume]]),
      listings: new Listings({
        clock: systemClock,
        staleTtlMs: 60_000,
        entriesMax: 10_000,
        onUnlistable: () => undefined,
        signal: NEVER,
      }),
      clock: systemClock,
      logger,
    });
  }

  /** Opens a cache with `settings` in a place of its own. */
  static async open(settings: Partial<CacheProcessSettings>): Promise<PlannedStore> {
    await using owned = new AsyncDisposableStack();
    const { path } = owned.use(await cachePlace());
    const backend = new WatchedBackend();
    const process = owned.use(await CacheProcess.start(path, backend, settings));
    return new PlannedStore(process, owned.move(), backend);
  }

  /** Seeds objects of `bytes` each; their paths. */
  seed(paths: readonly string[], bytes: number): readonly string[] {
    for (const [index, path] of paths.entries()) this.backend.seed(path, sampleBytes(bytes, index));
    return paths;
  }

  /** Begins a plan of whole reads, which is expected to be taken. */
  begin(
    paths: readonly string[],
    epochs: number,
    windowBytes: number,
    signal: AbortSignal,
  ): ReadsTaken {
    const reads = paths.map((path) => ({
      path: `/mnt/${this.backend.name}/${path}`,
      offset: 0,
      length: Infinity,
    }));
    const reader = { uid: JOB_UID, gids: [JOB_UID] };
    const taken = this.plans.begin({ reader, reads, epochs, windowBytes }, signal);
    if (taken.kind === "refused") throw new Error(taken.message);
    return taken;
  }

  /** Opens the object at `path` and reads it as a program does. */
  async read(path: string, wanted: Uint8Array): Promise<void> {
    const entry = await this.#stat(path);
    const object = await this.process.open(path, entry);
    try {
      this.plans.opened({ volume: this.#volume, path, entry }, JOB_UID);
      await readsAs(object, wanted);
    } finally {
      object.close();
    }
  }

  async #stat(path: string): Promise<ObjectEntry> {
    const entry = await this.backend.stat(path, NEVER);
    equal(entry?.kind, "object", path);
    if (entry?.kind !== "object") throw new Error(`"${path}" is no object`);
    return entry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plans[Symbol.asyncDispose]();
    await this.#owned.disposeAsync();
  }
}
