/**
 * Reads ahead across files: when the files of a directory are opened in sorted order, the first
 * blocks of the next ones are fetched. Works from the listing in memory, never asks for one.
 */
import { joinPath } from "../../cache/backend/backend.ts";
import {
  DIRECTORY_READAHEAD_START,
  type DirectoryReadaheadSettings,
  type DirectoryReadaheadState,
  observeFile,
} from "../../cache/readahead/directory_readahead.ts";
import type { Listing } from "./listing.ts";
import type { Listings } from "./listings.ts";
import type { Node } from "./nodes.ts";

/** Directories watched at once; the one read longest ago is forgotten. */
const DIRECTORIES_MAX = 1_000;

interface Watched {
  readonly listing: Listing;
  readonly names: readonly string[];
  state: DirectoryReadaheadState;
}

/** The directories in which files are being opened. */
export class DirectoryAhead {
  readonly #listings: Listings;
  readonly #settings: DirectoryReadaheadSettings;
  readonly #blockBytes: number;
  readonly #watched = new Map<object, Watched>();

  constructor(listings: Listings, settings: DirectoryReadaheadSettings, blockBytes: number) {
    this.#listings = listings;
    this.#settings = settings;
    this.#blockBytes = blockBytes;
  }

  /** `node`, a file, was opened by `uid`. */
  opened(node: Node, uid: number): void {
    const { parent, volume } = node;
    if (parent === null || volume === null || volume.files !== null) return;
    const watched = this.#watch(parent);
    if (watched === null) return;
    const { state, fetch } = observeFile(
      watched.state,
      node.name,
      watched.names,
      this.#settings,
    );
    watched.state = state;
    for (const name of fetch) {
      const listed = watched.listing.find(name);
      if (listed.kind !== "found" || listed.entry.kind !== "object") continue;
      const bytes = this.#settings.blocksPerFile * this.#blockBytes;
      volume.objects.prefetch(joinPath(parent.path, name), listed.entry, uid, bytes);
    }
  }

  #watch(directory: Node): Watched | null {
    const { volume } = directory;
    const listing = volume === null ? null : this.#listings.fresh(volume, directory.path);
    if (listing === null) return null;
    const known = this.#watched.get(directory);
    if (known?.listing === listing) {
      this.#watched.delete(directory);
      this.#watched.set(directory, known);
      return known;
    }
    const objects = listing.namesOf("object");
    if (objects === null) return null;
    const names = [...objects].sort();
    // Another listing of the same directory goes on where the last one was.
    const watched = { listing, names, state: known?.state ?? DIRECTORY_READAHEAD_START };
    this.#watched.set(directory, watched);
    for (const oldest of this.#watched.keys()) {
      if (this.#watched.size <= DIRECTORIES_MAX) break;
      this.#watched.delete(oldest);
    }
    return watched;
  }
}
