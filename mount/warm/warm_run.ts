/**
 * One job: finds files and brings them in, several at once.
 *
 *     paths ──walkers──▶ files that wait, a bounded number ──workers──▶ cached, or failed
 *
 * It ends when all is done, when its limit of new bytes or the room of the cache is used up, or
 * when it is cancelled. What is on its way when a limit is met is still brought in.
 */
import { AbortScope } from "../../cache/backend/abort_scope.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { Logger } from "../../cache/platform/log.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import type { WarmJob } from "../../cache/operations/warm_job.ts";
import type { WarmFailure, WarmStatus } from "../../ctl/api_warm.ts";
import { BoundedQueue } from "./bounded_queue.ts";
import { type BroughtFile, FileBringer } from "./file_bringer.ts";
import { MountTree, type MountTreeDeps, shownPath } from "./mount_tree.ts";
import { OutagePatience } from "./outage_patience.ts";
import { type WarmEnding, WarmTally } from "./tally.ts";
import { type FoundFile, Walk, type WalkStep } from "./walk.ts";

/** Files found and not begun: enough to know the totals of most data sets early. */
const FILES_AHEAD_MAX = 10_000;
/** Parts of the list of paths that wait, of one call each. */
const PATH_LISTS_AHEAD_MAX = 2;
/** Paths looked at together: each may be a round trip to its store. */
const WALKERS = 16;

/** What is to be done. */
export interface WarmWanted {
  readonly uid: number;
  readonly mode: "warm" | "check";
  readonly globs: boolean;
  readonly recursive: boolean;
  /** New bytes at most; 0: no limit. */
  readonly bytesMax: number;
  readonly workers: number;
  readonly detach: boolean;
}

/** What a job works with. */
export interface WarmRunDeps extends MountTreeDeps {
  readonly mountPoint: string;
  /** Begins to warm, in the cache. */
  readonly begin: () => Pick<WarmJob, "warm" | typeof Symbol.dispose>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A job, from its beginning on. */
export class WarmRun {
  readonly id: string;
  readonly wanted: WarmWanted;
  readonly #deps: WarmRunDeps;
  readonly #tally: WarmTally;
  readonly #patience: OutagePatience;
  readonly #tree: MountTree;
  readonly #paths = new BoundedQueue<readonly string[]>(PATH_LISTS_AHEAD_MAX);
  readonly #files = new BoundedQueue<FoundFile>(FILES_AHEAD_MAX);
  /** Ends everything. */
  readonly #cancelled = new AbortController();
  /** Ends the search for files. */
  readonly #sought: AbortScope;
  readonly #allPaths = Promise.withResolvers<void>();
  /** New bytes that files begun so far take or took. */
  #bytesPromised = 0;
  /** Why it stops before everything is done. */
  #stopping: WarmEnding | null = null;
  readonly #ended = Promise.withResolvers<void>();

  constructor(id: string, wanted: WarmWanted, deps: WarmRunDeps) {
    this.id = id;
    this.wanted = wanted;
    this.#deps = deps;
    this.#tally = new WarmTally(deps.clock);
    this.#patience = new OutagePatience(deps.clock);
    this.#tree = new MountTree(deps, this.#patience);
    this.#sought = new AbortScope(this.#cancelled.signal);
  }

  get isEnded(): boolean {
    return this.#tally.isEnded;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when all paths are handed over, or the job has ended. */
  get allPaths(): Promise<void> {
    return this.#allPaths.promise;
  }

  /** The first files that failed. */
  get failures(): readonly WarmFailure[] {
    return this.#tally.failures;
  }

  /** Hands over paths, when there is room for them; `more` when others come after them. */
  async add(paths: readonly string[], more: boolean, signal: AbortSignal): Promise<void> {
    if (this.#tally.paths === 0) this.#tally.firstPath = paths[0] ?? "";
    this.#tally.paths += paths.length;
    if (paths.length > 0) await this.#paths.push(paths, signal);
    if (more) return;
    this.#paths.close();
    this.#allPaths.resolve();
  }

  /** Ends the job; what is cached stays. */
  cancel(reason: string): void {
    if (this.isEnded) return;
    this.#stopping ??= { kind: "cancelled", reason };
    this.#cancelled.abort(new DOMException("The job is cancelled", "AbortError"));
  }

  status(): WarmStatus {
    const { uid, mode, detach } = this.wanted;
    const job = { job: this.id, uid, mode, detached: detach };
    return this.#tally.status(job, this.#patience.waitingFor);
  }

  /** Does the job, to its end. To be called once. */
  async run(): Promise<void> {
    const { logger, begin } = this.#deps;
    const { signal } = this.#cancelled;
    using job = begin();
    const bringer = new FileBringer({
      job,
      tree: this.#tree,
      patience: this.#patience,
      uid: this.wanted.uid,
      onFetched: (bytes) => this.#tally.fetched(bytes),
    });
    const working = Array.from({ length: this.wanted.workers }, () => this.#work(bringer, signal));
    // The first that fails ends the others, which are waited for.
    const parts = [this.#seek(), ...working].map((part) =>
      part.catch((error: unknown) => {
        if (!signal.aborted) logger.error("Lose a warm job", { job: this.id, error });
        this.cancel("the mount failed, its log says why");
      })
    );
    await Promise.all(parts);
    this.#end();
  }

  /** Finds the files of all paths. */
  async #seek(): Promise<void> {
    const { signal } = this.#sought;
    const walk = new Walk(this.#tree, { ...this.wanted, ...this.#deps }, signal);
    try {
      for (
        let paths = await this.#paths.take(signal);
        paths !== null;
        paths = await this.#paths.take(signal)
      ) {
        const rest = paths.values();
        const walker = async () => {
          for (const path of rest) {
            for await (const step of walk.files(path)) await this.#found(step, signal);
          }
        };
        await Promise.all(Array.from({ length: Math.min(WALKERS, paths.length) }, walker));
      }
      this.#tally.listed = true;
    } catch (error) {
      if (this.#stopping === null) throw error;
    } finally {
      this.#files.close();
    }
  }

  async #found(step: WalkStep, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "in place":
        this.#tally.inPlace += 1;
        return;
      case "failed":
        return this.#failed(step.path, step.reason);
      case "file":
        this.#tally.filesFound += 1;
        this.#tally.bytesFound += step.file.entry.sizeBytes;
        await this.#files.push(step.file, signal);
    }
  }

  async #work(bringer: FileBringer, signal: AbortSignal): Promise<void> {
    const { mode } = this.wanted;
    for (
      let file = await this.#files.take(signal);
      file !== null;
      file = await this.#files.take(signal)
    ) {
      if (mode === "check") await this.#check(file);
      else if (await this.#mayTake(file)) this.#brought(file, await bringer.bring(file, signal));
    }
  }

  async #check({ volume, path, entry }: FoundFile): Promise<void> {
    const keptBytes = await volume.objects.keptBytes(path, entry) ?? entry.sizeBytes;
    this.#tally.bytesSkipped += keptBytes;
    if (keptBytes === entry.sizeBytes) this.#tally.filesDone += 1;
  }

  #brought({ volume, path, entry }: FoundFile, brought: BroughtFile): void {
    switch (brought.kind) {
      case "warm":
        this.#tally.filesDone += 1;
        this.#tally.bytesSkipped += brought.bytesSkipped;
        this.#tally.bytesFound += brought.sizeBytes - entry.sizeBytes;
        return;
      case "full":
        return this.#stop(brought);
      case "failed":
        this.#tally.bytesFailed += entry.sizeBytes;
        return this.#failed(shownPath(volume, path), brought.reason);
    }
  }

  /** Whether what is missing of `file` is within the limit of new bytes. */
  async #mayTake({ volume, path, entry }: FoundFile): Promise<boolean> {
    const { bytesMax } = this.wanted;
    if (this.#stopping !== null) return false;
    if (bytesMax === 0) return true;
    const missingBytes = entry.sizeBytes - (await volume.objects.keptBytes(path, entry) ?? 0);
    // Another file may have met the limit meanwhile.
    if (this.#stopping !== null) return false;
    if (this.#bytesPromised + missingBytes <= bytesMax) {
      this.#bytesPromised += missingBytes;
      return true;
    }
    const limit = formatBytes(bytesMax);
    this.#stop({ kind: "capped", reason: `the limit of ${limit} of new bytes is reached` });
    return false;
  }

  /** No more files are begun. */
  #stop(how: WarmEnding): void {
    this.#stopping ??= how;
    this.#files.drop();
    this.#sought.abort(new DOMException("No more files are wanted", "AbortError"));
  }

  #failed(path: string, reason: string): void {
    if (!this.#tally.failed(path, reason)) return;
    this.#deps.logger.warn("Cannot warm a file", { job: this.id, path, reason });
  }

  #end(): void {
    this.#tally.end(this.#stopping ?? { kind: "through" });
    this.#paths.drop();
    this.#files.drop();
    this.#allPaths.resolve();
    this.#sought[Symbol.dispose]();
    this.#ended.resolve();
    const { state, reason, files_done, files_failed, bytes_fetched, seconds } = this.status();
    const counts = { files_done, files_failed, bytes_fetched, seconds };
    this.#deps.logger.info("Warm job ended", { job: this.id, state, reason, ...counts });
  }
}
