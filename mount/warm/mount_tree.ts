/**
 * The tree of a mount as users see it, walked without the kernel: directories of the namespace, and
 * in each the names of its volume that they do not hide. Names come from the listings that the file
 * system keeps, so that walking and reading spare each other requests.
 *
 * Local backends are not looked into: their files are read where they are.
 */
import { abortable } from "../../cache/backend/abort_scope.ts";
import { baseName, type Entry, joinPath } from "../../cache/backend/backend.ts";
import type { Listing } from "../fs/listing.ts";
import type { Listings } from "../fs/listings.ts";
import type { Volume } from "../fs/volume.ts";
import type { NamespaceNode } from "../namespace.ts";
import type { OutagePatience } from "./outage_patience.ts";

/** Directories listed ahead of a walk: each is a round trip otherwise. */
const LISTED_AHEAD = 8;
/** Names looked at together for directories to list ahead. */
const NAMES_AHEAD = 64;

/** A place in the tree, which need not exist. */
export interface TreePlace {
  /** What is mounted here or below; null where nothing is. */
  readonly space: NamespaceNode<Volume> | null;
  readonly volume: Volume | null;
  /** Within the volume. */
  readonly path: string;
}

/** A name in a directory. */
export interface TreeChild {
  readonly name: string;
  readonly place: TreePlace;
  /** What is there; null for a directory. */
  readonly object: Extract<Entry, { readonly kind: "object" }> | null;
}

/** What is at a place. */
export type TreeEntry =
  | { readonly kind: "directory" }
  | { readonly kind: "object"; readonly entry: Extract<Entry, { readonly kind: "object" }> }
  /** In a local backend. */
  | { readonly kind: "in place" }
  | { readonly kind: "absent" };

/** What walking takes. */
export interface MountTreeDeps {
  readonly space: NamespaceNode<Volume>;
  readonly listings: Listings;
}

/** The tree, for one job. */
export class MountTree {
  readonly #deps: MountTreeDeps;
  readonly #patience: OutagePatience;

  /** @param patience Of the job: stores that do not answer are waited for. */
  constructor(deps: MountTreeDeps, patience: OutagePatience) {
    this.#deps = deps;
    this.#patience = patience;
  }

  /** The root of the mount. */
  get root(): TreePlace {
    const { space } = this.#deps;
    return { space, volume: space.volume, path: "" };
  }

  /** The place called `name` in `directory`. */
  child(directory: TreePlace, name: string): TreePlace {
    const space = directory.space?.children.get(name) ?? null;
    if (space !== null && space.volume !== null) return { space, volume: space.volume, path: "" };
    return { space, volume: directory.volume, path: joinPath(directory.path, name) };
  }

  /** What is at `place`. Throws `BackendError`. */
  async at({ space, volume, path }: TreePlace, signal: AbortSignal): Promise<TreeEntry> {
    if (space !== null) return { kind: "directory" };
    if (volume === null) return { kind: "absent" };
    if (volume.files !== null) return { kind: "in place" };
    const asking = () => this.#ask(volume, path, signal);
    const entry = await this.#patience.run(volume.name, asking, signal);
    if (entry === null || entry.kind === "symlink") return { kind: "absent" };
    return entry.kind === "directory" ? { kind: "directory" } : { kind: "object", entry };
  }

  /** The names in `directory`, as they are listed. Throws `BackendError`. */
  async *children(directory: TreePlace, signal: AbortSignal): AsyncGenerator<TreeChild> {
    const { space, volume, path } = directory;
    const mounted = space?.children ?? new Map();
    for (const name of [...mounted.keys()].sort()) {
      yield { name, place: this.child(directory, name), object: null };
    }
    if (volume === null || volume.files !== null) return;
    const listing = this.#deps.listings.open(volume, path, null);
    // Held here, as listings may not be kept for as long as it takes to get to them.
    const ahead = new Map<number, Listing>();
    for (let position = 0;; position += 1) {
      let listed = listing.at(position);
      while (listed === undefined) {
        const loading = () => abortable(listing.loadTo(position), signal);
        await this.#patience.run(volume.name, loading, signal);
        listed = listing.at(position);
      }
      if (listed === null) return;
      if (listed === "gone" || mounted.has(listed.name)) continue;
      const { name, entry, kind } = listed;
      if (kind === "symlink") continue;
      if (kind === "directory") this.#listAhead(directory, listing, position, ahead);
      const object = entry?.kind === "object" ? entry : null;
      yield { name, place: this.child(directory, name), object };
      ahead.delete(position);
    }
  }

  /** What the store has at `path` now, whatever a listing says. */
  async now(volume: Volume, path: string, signal: AbortSignal): Promise<Entry | null> {
    const asking = () =>
      volume.statuses.run(path, signal, (shared) => volume.backend.stat(path, shared));
    return await this.#patience.run(volume.name, asking, signal);
  }

  #listAhead(
    { volume, path }: TreePlace,
    listing: Listing,
    from: number,
    ahead: Map<number, Listing>,
  ): void {
    if (volume === null) return;
    for (let at = from + 1; at < from + NAMES_AHEAD && ahead.size < LISTED_AHEAD; at += 1) {
      const listed = listing.at(at);
      if (listed === undefined || listed === null) return;
      if (listed === "gone" || listed.kind !== "directory" || ahead.has(at)) continue;
      const next = this.#deps.listings.open(volume, joinPath(path, listed.name), null);
      if (next.length === 0) next.loadAhead();
      ahead.set(at, next);
    }
  }

  async #ask(volume: Volume, path: string, signal: AbortSignal): Promise<Entry | null> {
    const name = baseName(path);
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1));
    const { listings } = this.#deps;
    const listed = listings.fresh(volume, directory)?.find(name);
    if (listed?.kind === "found") return listed.entry;
    if (listed?.kind === "absent") return null;
    const ask = async (own: AbortSignal) => ({
      entry: await volume.statuses.run(path, own, (shared) => volume.backend.stat(path, shared)),
    });
    const { offline } = volume;
    if (offline === null) return (await ask(signal)).entry;
    const known = () => listings.known(volume, offline, directory, name);
    return (await offline.ask(ask, known, signal)).value.entry;
  }
}

/** The path of an object below the mount point. */
export function shownPath({ mountPath }: Volume, path: string): string {
  return mountPath === "" ? path : joinPath(mountPath, path);
}
