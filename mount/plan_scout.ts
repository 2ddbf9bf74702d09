/**
 * Finds out what is at the files of a plan: whole directories from their listings, in the
 * background, and what the reader comes near to at once.
 */
import { baseName, type Entry, joinPath } from "../cache/backend/backend.ts";
import type { Plan } from "../cache/plan/plan.ts";
import { fileKeyOf, type PlanFiles } from "../cache/plan/plan_files.ts";
import type { ObjectKey } from "../cache/residency/residency.ts";
import type { Listings } from "./fs/listings.ts";
import type { Volume } from "./fs/volume.ts";

/** Reads ahead of the window at which is looked together. */
const LOOK_AHEAD = 32;
/** A page of a listing must help so many planned files, or they are looked at one by one. */
const FILES_PER_PAGE = 50;
const PAGES_MIN = 2;

/** What scouting needs. */
export interface PlanScoutDeps {
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly listings: Listings;
  /** `file` was looked at; the plan does not use the object `before` any more. */
  readonly found: (file: number, before: ObjectKey | null) => void;
}

/** Looks for one plan. */
export class PlanScout {
  readonly #files: PlanFiles;
  readonly #plan: Plan;
  readonly #deps: PlanScoutDeps;
  /** Files that were there when their directories were looked through last. */
  #swept = 0;

  constructor(plan: Plan, deps: PlanScoutDeps) {
    this.#plan = plan;
    this.#files = plan.files;
    this.#deps = deps;
  }

  /** Looks at the files that the plan reads next. Throws `BackendError` when nobody can say. */
  async lookAhead(signal: AbortSignal): Promise<void> {
    const files = this.#plan.unknownAhead(LOOK_AHEAD);
    await Promise.all(files.map((file) => this.look(file, signal)));
  }

  /** Looks at one file; what is missing counts as that until somebody opens it. */
  async look(file: number, signal: AbortSignal): Promise<void> {
    const { backend, path } = this.#files.at(file);
    const volume = this.#deps.volumes.get(backend);
    if (volume === undefined || volume.files !== null) return this.#note(file, null, "in place");
    this.#note(file, await this.#ask(volume, path, signal), "missing");
  }

  /** Asks the store itself, whatever a listing says: the version known is gone. */
  async lookAgain(file: number, signal: AbortSignal): Promise<void> {
    const { backend, path } = this.#files.at(file);
    const volume = this.#deps.volumes.get(backend);
    if (volume !== undefined) this.#note(file, await this.#stat(volume, path, signal), "missing");
  }

  /** Looks through the directories of files that were added since the last time. */
  async sweep(signal: AbortSignal): Promise<void> {
    while (this.#swept < this.#files.count) {
      const before = this.#swept;
      this.#swept = this.#files.count;
      for (const [directory, unknown] of this.#unknownIn(before)) {
        await this.#sweepDirectory(directory, unknown, signal);
      }
    }
  }

  /** How many unknown files each directory of the files from `first` on has. */
  #unknownIn(first: number): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (let file = first; file < this.#files.count; file += 1) {
      if (this.#files.state(file) !== "unknown") continue;
      const directory = this.#files.directoryOf(file);
      counts.set(directory, (counts.get(directory) ?? 0) + 1);
    }
    return counts;
  }

  async #sweepDirectory(directory: number, unknown: number, signal: AbortSignal): Promise<void> {
    const { backend, path } = this.#files.directory(directory);
    const volume = this.#deps.volumes.get(backend);
    if (volume === undefined || volume.files !== null) return;
    // A request for each of a few files is cheaper than the listing of a directory of millions.
    const pagesMax = PAGES_MIN + Math.ceil(unknown / FILES_PER_PAGE);
    const listing = this.#deps.listings.open(volume, path, null);
    let [position, left] = [0, unknown];
    try {
      for (let page = 0; page < pagesMax && left > 0; page += 1) {
        signal.throwIfAborted();
        await listing.loadTo(position);
        for (;; position += 1) {
          const listed = listing.at(position);
          if (listed === null) return;
          if (listed === undefined) break;
          if (listed === "gone" || listed.entry === null) continue;
          const key = fileKeyOf({ backend, path: joinPath(path, listed.name) });
          const file = this.#files.find(key);
          if (file === null || this.#files.state(file) !== "unknown") continue;
          this.#note(file, listed.entry, "missing");
          left -= 1;
        }
      }
    } catch {
      // They are looked at one by one when the reader comes near.
      signal.throwIfAborted();
    }
  }

  async #ask(volume: Volume, path: string, signal: AbortSignal): Promise<Entry | null> {
    const name = baseName(path);
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1));
    const listed = this.#deps.listings.fresh(volume, directory)?.find(name);
    if (listed?.kind === "found") return listed.entry;
    return listed?.kind === "absent" ? null : await this.#stat(volume, path, signal);
  }

  #stat(volume: Volume, path: string, signal: AbortSignal): Promise<Entry | null> {
    return volume.statuses.run(path, signal, (shared) => volume.backend.stat(path, shared));
  }

  #note(file: number, entry: Entry | null, otherwise: "missing" | "in place"): void {
    const before = entry?.kind === "object"
      ? this.#files.found(file, entry)
      : this.#files.notFound(file, otherwise);
    this.#deps.found(file, before);
  }
}
