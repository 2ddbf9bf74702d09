/** Finds the files that paths and patterns mean, one after the other. */
import { BackendError, type ObjectEntry } from "../../cache/backend/backend.ts";
import type { Volume } from "../fs/volume.ts";
import { segmentsOf } from "../plan_paths.ts";
import { compileGlob, type GlobName, hasPattern, isHidden, matchesGlob } from "./glob.ts";
import { type MountTree, shownPath, type TreeChild, type TreePlace } from "./mount_tree.ts";

/** A file of a store. */
export interface FoundFile {
  readonly volume: Volume;
  readonly path: string;
  readonly entry: ObjectEntry;
}

/** What a walk comes upon. */
export type WalkStep =
  | { readonly kind: "file"; readonly file: FoundFile }
  /** A local backend, or a path in one: there is nothing to bring in. */
  | { readonly kind: "in place" }
  | { readonly kind: "failed"; readonly path: string; readonly reason: string };

/** How paths are taken. */
export interface WalkSettings {
  readonly mountPoint: string;
  /** A path that is not there as it is written is a pattern. */
  readonly globs: boolean;
  /** Directories with all below them, or only the files directly in them. */
  readonly recursive: boolean;
}

/** Walks for one job. */
export class Walk {
  readonly #tree: MountTree;
  readonly #settings: WalkSettings;
  readonly #signal: AbortSignal;

  constructor(tree: MountTree, settings: WalkSettings, signal: AbortSignal) {
    this.#tree = tree;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** What `path` means. A store that fails ends the part that it was asked for. */
  async *files(path: string): AsyncGenerator<WalkStep> {
    const walked = segmentsOf(path, this.#settings.mountPoint);
    if (walked.kind === "unresolved") return yield failed(path, walked.reason);
    try {
      yield* this.#of(path, walked.segments);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      yield failed(path, error.message);
    }
  }

  async *#of(path: string, segments: readonly string[]): AsyncGenerator<WalkStep> {
    let place = this.#tree.root;
    for (const segment of segments) place = this.#tree.child(place, segment);
    const entry = await this.#tree.at(place, this.#signal);
    if (entry.kind === "directory") return yield* this.#below(place);
    if (entry.kind === "object") return yield* file(place, entry.entry);
    if (entry.kind === "in place") return yield { kind: "in place" };
    if (!this.#settings.globs || !hasPattern(segments)) {
      return yield failed(path, "nothing is there");
    }
    const names = compileGlob(segments);
    // Each one more would multiply the directories that are looked through.
    if (names.filter(({ kind }) => kind === "any depth").length > 1) {
      return yield failed(path, 'it has "**" more than once');
    }
    let found = false;
    for await (const match of this.#matches(this.#tree.root, names)) {
      found = true;
      yield* match.object === null ? this.#below(match.place) : file(match.place, match.object);
    }
    if (!found) yield failed(path, "nothing matches");
  }

  /** The files in a directory, and where wanted in all below it. */
  async *#below(directory: TreePlace): AsyncGenerator<WalkStep> {
    if (isLocal(directory)) yield { kind: "in place" };
    try {
      for await (const { place, object } of this.#tree.children(directory, this.#signal)) {
        if (object !== null) yield* file(place, object);
        else if (this.#settings.recursive) yield* this.#below(place);
      }
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      yield failed(shown(directory), error.message);
    }
  }

  /** The places below `directory` that `names` stand for. */
  async *#matches(
    directory: TreePlace,
    names: readonly GlobName[],
  ): AsyncGenerator<Pick<TreeChild, "place" | "object">> {
    const [first, ...rest] = names;
    if (first === undefined) return yield { place: directory, object: null };
    switch (first.kind) {
      case "literal":
        return yield* this.#literal(this.#tree.child(directory, first.name), rest);
      case "any depth":
        // At the end it means the directory with all that is in it.
        yield* this.#matches(directory, rest);
        if (rest.length === 0) return;
        for await (const { name, place, object } of this.#children(directory)) {
          if (object === null && !isHidden(name)) yield* this.#matches(place, names);
        }
        return;
      case "pattern":
        for await (const { name, place, object } of this.#children(directory)) {
          if (!matchesGlob(first.tokens, name)) continue;
          if (rest.length === 0) yield { place, object };
          else if (object === null) yield* this.#matches(place, rest);
        }
    }
  }

  async *#literal(
    place: TreePlace,
    rest: readonly GlobName[],
  ): AsyncGenerator<Pick<TreeChild, "place" | "object">> {
    if (rest.length > 0) return yield* this.#matches(place, rest);
    const entry = await this.#tree.at(place, this.#signal);
    if (entry.kind === "directory") yield { place, object: null };
    if (entry.kind === "object") yield { place, object: entry.entry };
  }

  #children(directory: TreePlace): AsyncGenerator<TreeChild> {
    return this.#tree.children(directory, this.#signal);
  }
}

function* file({ volume, path }: TreePlace, entry: ObjectEntry): Generator<WalkStep> {
  if (volume !== null) yield { kind: "file", file: { volume, path, entry } };
}

function isLocal({ volume }: TreePlace): boolean {
  return volume !== null && volume.files !== null;
}

function shown({ volume, path }: TreePlace): string {
  return volume === null ? path : shownPath(volume, path);
}

function failed(path: string, reason: string): WalkStep {
  return { kind: "failed", path, reason };
}
