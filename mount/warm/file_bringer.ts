/** Brings one file into the cache, whatever happens to it or its store meanwhile. */
import { BackendError } from "../../cache/backend/backend.ts";
import { CacheDiskError } from "../../cache/disk/cache_disk_error.ts";
import { describeError } from "../../cache/platform/log.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import type { WarmJob } from "../../cache/operations/warm_job.ts";
import { type MountTree, shownPath } from "./mount_tree.ts";
import { NotNow, type OutagePatience } from "./outage_patience.ts";
import type { FoundFile } from "./walk.ts";

/** What became of a file. */
export type BroughtFile =
  /** All of the version that is there now is cached; `bytesSkipped` of it was before. */
  | { readonly kind: "warm"; readonly sizeBytes: number; readonly bytesSkipped: number }
  /** The cache has no room, so there is none for other files either. */
  | { readonly kind: "full"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** What bringing takes. */
export interface FileBringerDeps {
  readonly job: Pick<WarmJob, "warm">;
  readonly tree: Pick<MountTree, "now">;
  readonly patience: OutagePatience;
  /** Whom it is charged to. */
  readonly uid: number;
  /** Is told of bytes that have been fetched since it was last told. */
  readonly onFetched: (bytes: number) => void;
}

/** Brings the files of one job. */
export class FileBringer {
  readonly #deps: FileBringerDeps;

  constructor(deps: FileBringerDeps) {
    this.#deps = deps;
  }

  /** Brings `file`; rejects only when `signal` aborts, or for a bug. */
  async bring(file: FoundFile, signal: AbortSignal): Promise<BroughtFile> {
    try {
      return await this.#bringLatest(file, signal);
    } catch (error) {
      signal.throwIfAborted();
      // A fetch that was withdrawn, because its object was evicted, is no bug either.
      const isExpected = error instanceof BackendError || error instanceof CacheDiskError ||
        error instanceof NotNow || error instanceof DOMException;
      if (!isExpected) throw error;
      return { kind: "failed", reason: describeError(error) };
    }
  }

  async #bringLatest(file: FoundFile, signal: AbortSignal): Promise<BroughtFile> {
    try {
      return await this.#bring(file, signal);
    } catch (error) {
      if (!(error instanceof BackendError) || error.code !== "changed") throw error;
    }
    // It was listed some time ago; what is there now is what will be read.
    const entry = await this.#deps.tree.now(file.volume, file.path, signal);
    if (entry?.kind !== "object") return { kind: "failed", reason: "it is gone" };
    return await this.#bring({ ...file, entry }, signal);
  }

  async #bring({ volume, path, entry }: FoundFile, signal: AbortSignal): Promise<BroughtFile> {
    const { job, patience, uid, onFetched } = this.#deps;
    const { sizeBytes } = entry;
    // Of all attempts, as what one of them fetched is there for the next.
    let fetchedBytes = 0;
    const onProgress = (bytes: number) => {
      fetchedBytes += bytes;
      onFetched(bytes);
    };
    const wanted = { backend: volume.name, path, entry, uid };
    const attempt = async () => {
      const outcome = await job.warm(wanted, onProgress, signal);
      if (outcome.kind !== "bypassed") return outcome;
      throw new NotNow(`Cannot keep it: ${outcome.reason}`);
    };
    const outcome = await patience.run(volume.name, attempt, signal);
    switch (outcome.kind) {
      case "warm":
        return { kind: "warm", sizeBytes, bytesSkipped: Math.max(0, sizeBytes - fetchedBytes) };
      case "no room": {
        const shown = JSON.stringify(shownPath(volume, path));
        const reason = `the cache has no room for ${formatBytes(outcome.bytesNeeded)} of ${shown}`;
        return { kind: "full", reason };
      }
      case "not kept":
        return { kind: "failed", reason: outcome.reason };
      case "not cached":
        return { kind: "warm", sizeBytes, bytesSkipped: sizeBytes };
    }
  }
}
