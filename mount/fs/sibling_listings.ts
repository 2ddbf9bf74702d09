/**
 * Lists directories ahead of a walk: when the directories of a parent are opened one after another,
 * as find(1) and every data loader's scan do, the next ones are listed before they are asked for.
 * Otherwise each costs a round trip to its store, or a turn of a blocking thread.
 */
import { type DirectoryEntry, joinPath } from "../../cache/backend/backend.ts";
import type { Listing } from "./listing.ts";
import type { Listings } from "./listings.ts";
import type { Node } from "./nodes.ts";
import type { Volume } from "./volume.ts";

/** Directories listed ahead. */
const AHEAD = 4;
/** Openings in order after which a walk is known for one. */
const IN_ORDER = 2;
/** Parents watched at once; the one walked longest ago is forgotten. */
const PARENTS_MAX = 1_000;

/** A parent whose directories are being opened. */
interface Walk {
  readonly listing: Listing;
  readonly names: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
  last: number;
  inOrder: number;
  /** First position that was not listed ahead yet. */
  next: number;
}

/** Walks that are going on. */
export class SiblingListings {
  readonly #listings: Listings;
  readonly #walks = new Map<Node, Walk>();

  constructor(listings: Listings) {
    this.#listings = listings;
  }

  /** The directory `node` was opened. */
  opened(node: Node): void {
    const { parent, volume } = node;
    if (parent === null || volume === null || parent.volume !== volume) return;
    const walk = this.#walkOf(parent, volume);
    const position = walk?.positions.get(node.name);
    if (walk === null || position === undefined) return;
    walk.inOrder = position === walk.last + 1 ? walk.inOrder + 1 : 0;
    walk.last = position;
    if (walk.inOrder < IN_ORDER) return;
    walk.next = Math.max(walk.next, position + 1);
    for (; walk.next <= position + AHEAD && walk.next < walk.names.length; walk.next += 1) {
      this.#list(volume, joinPath(parent.path, walk.names[walk.next] ?? ""));
    }
  }

  #walkOf(parent: Node, volume: Volume): Walk | null {
    const listing = this.#listings.fresh(volume, parent.path);
    if (listing === null) return null;
    const known = this.#walks.get(parent);
    if (known?.listing === listing) return known;
    const names = listing.namesOf("directory");
    if (names === null) return null;
    const positions = new Map(names.map((name, index) => [name, index]));
    const walk = { listing, names, positions, last: -1, inOrder: 0, next: 0 };
    this.#walks.delete(parent);
    this.#walks.set(parent, walk);
    for (const oldest of this.#walks.keys()) {
      if (this.#walks.size <= PARENTS_MAX) break;
      this.#walks.delete(oldest);
    }
    return walk;
  }

  #list(volume: Volume, path: string): void {
    const listing = this.#listings.open(volume, path, localEntry(volume, path));
    if (listing.length === 0) listing.loadAhead();
  }
}

/** A local directory's listing is known by its times: those the real opening will find. */
function localEntry({ files }: Volume, path: string): DirectoryEntry | null {
  if (files === null) return null;
  const status = files.statusCached(path);
  return status !== "unknown" && status?.kind === "directory" ? status : null;
}
