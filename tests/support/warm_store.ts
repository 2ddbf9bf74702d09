/** The warm jobs of a mount over a real cache and stores in memory, without a kernel. */
import type { Entry } from "../../cache/backend/backend.ts";
import { type Clock, systemClock } from "../../cache/platform/clock.ts";
import { SharedWork } from "../../cache/fetch/shared_work.ts";
import type { WarmFailure, WarmStatus } from "../../ctl/api_warm.ts";
import { Listings } from "../../mount/fs/listings.ts";
import type { Volume } from "../../mount/fs/volume.ts";
import { buildNamespace } from "../../mount/namespace.ts";
import { WarmJobs } from "../../mount/warm/warm_jobs.ts";
import type { WarmRun, WarmWanted } from "../../mount/warm/warm_run.ts";
import { cachePlace, CacheProcess, type CacheProcessSettings } from "./cache_process.ts";
import { collectedLog } from "./collected_log.ts";
import { WatchedBackend } from "./watched_backend.ts";

const NEVER = new AbortController().signal;
const WANTED = {
  mode: "warm",
  globs: true,
  recursive: true,
  bytesMax: 0,
  workers: 4,
  detach: false,
} as const;

/** What belongs to one test: a store mounted at `/mnt/store`, and jobs. */
export class WarmStore implements AsyncDisposable {
  readonly backend: WatchedBackend;
  readonly process: CacheProcess;
  readonly jobs: WarmJobs;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    backend: WatchedBackend,
    process: CacheProcess,
    clock: Clock,
    allowOther: boolean,
    owned: AsyncDisposableStack,
  ) {
    this.backend = backend;
    this.process = process;
    this.#owned = owned;
    const volume: Volume = {
      name: backend.name,
      mountPath: backend.name,
      backend,
      objects: process.source,
      files: null,
      statuses: new SharedWork<Entry | null>(systemClock, 0),
      offline: null,
    };
    this.jobs = new WarmJobs({
      mountPoint: "/mnt",
      space: buildNamespace([volume]),
      readability: {
        defaults: { uid: 0, gid: 0, fileMode: 0o440, directoryMode: 0o550 },
        allowOther,
        mountUid: 0,
      },
      listings: new Listings({
        clock: systemClock,
        staleTtlMs: 60_000,
        entriesMax: 10_000,
        onUnlistable: () => undefined,
        signal: NEVER,
      }),
      begin: () => process.cache.operations.warm(),
      clock,
      logger: collectedLog().logger,
    });
  }

  /** A store with a cache of its own; `clock` is that of the jobs. */
  static async open(
    changed: Partial<CacheProcessSettings> = {},
    clock: Clock = systemClock,
  ): Promise<WarmStore> {
    await using owned = new AsyncDisposableStack();
    const place = owned.use(await cachePlace());
    const backend = new WatchedBackend();
    const process = owned.use(await CacheProcess.start(place.path, backend, changed));
    return new WarmStore(backend, process, clock, true, owned.move());
  }

  /** Begins a job of root for `paths`, below `/mnt`. */
  async begin(
    paths: readonly string[],
    changed: Partial<WarmWanted> = {},
    signal: AbortSignal = NEVER,
  ): Promise<WarmRun> {
    const caller = { reader: { uid: 0, gids: [0] }, isOperator: true };
    const begun = this.jobs.begin({ ...WANTED, ...changed }, caller, signal);
    if (begun.kind === "refused") throw new Error(begun.message);
    await begun.run.add(paths, false, NEVER);
    return begun.run;
  }

  /** Does a job to its end. */
  async warm(
    paths: readonly string[],
    changed: Partial<WarmWanted> = {},
  ): Promise<WarmStatus & { readonly failures: readonly WarmFailure[] }> {
    const run = await this.begin(paths, changed);
    await run.ended;
    return { ...run.status(), failures: run.failures };
  }

  /** Paths of which bytes were asked of the store, each once, sorted. */
  get read(): readonly string[] {
    return [...new Set(this.backend.reads.map(({ path }) => path))].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.jobs[Symbol.asyncDispose]();
    await this.#owned.disposeAsync();
  }
}
