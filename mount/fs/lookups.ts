/**
 * Names → nodes: LOOKUP, and the attributes of READDIRPLUS records. Asks, in this order, the
 * namespace, a listing that is fresh, the local file system, the store; and where the store is
 * silent, what is known.
 */
import { type Entry, joinPath, NAME_BYTES_MAX } from "../../cache/backend/backend.ts";
import { encodeName } from "../../cache/platform/byte_name.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import type { Attributes, FoundEntry, LazySignal, Reply } from "../fuse/messages.ts";
import { attributesOf, type DefaultAttributes } from "./attributes.ts";
import type { Listings } from "./listings.ts";
import { directoryEntry, type Node, type NodeTable } from "./nodes.ts";
import { KNOWN_FRESH_MS } from "./offline.ts";
import type { Volume } from "./volume.ts";

/** How long the kernel may believe what it is told. */
export interface Validity {
  readonly attributesMs: number;
  readonly entryMs: number;
  readonly negativeMs: number;
  /** How long what a store said is believed at all. */
  readonly staleTtlMs: number;
}

/** What a name turned out to be, and for how long that holds. */
interface Resolved {
  readonly entry: Entry | null;
  readonly freshMs: number;
}

/** Finds children of directories. */
export class Lookups {
  readonly #nodes: NodeTable;
  readonly #listings: Listings;
  readonly #validity: Validity;
  readonly #defaults: DefaultAttributes;

  constructor(
    nodes: NodeTable,
    listings: Listings,
    validity: Validity,
    defaults: DefaultAttributes,
  ) {
    this.#nodes = nodes;
    this.#listings = listings;
    this.#validity = validity;
    this.#defaults = defaults;
  }

  /** LOOKUP of `name` in `parent`. */
  lookup(parent: Node, name: string, signal: LazySignal): Reply | Promise<Reply> {
    if (name.length > NAME_BYTES_MAX || encodeName(name).length > NAME_BYTES_MAX) {
      return { kind: "error", errno: ERRNO.ENAMETOOLONG };
    }
    const known = this.#resolveNow(parent, name);
    if (known !== null) return this.#reply(parent, known);
    return this.#resolve(parent, name, signal.get()).then((found) => this.#reply(parent, found));
  }

  /**
   * What READDIRPLUS says of the child `name`, counted as a lookup of `node` once it was sent;
   * null when telling would need a request to the store or the disk. `listed` is what the listing
   * begun at `begunMs` says of it.
   */
  peek(parent: Node, name: string, listed: Entry | null, begunMs: number): {
    readonly node: Node;
    readonly found: FoundEntry;
  } | null {
    const resolved = listed === null || parent.space?.children.has(name) === true
      ? this.#resolveNow(parent, name)
      : { entry: listed, freshMs: this.#listedFreshMs(parent, begunMs) };
    if (resolved === null || resolved.entry === null) return null;
    const node = this.#nodes.obtain(parent, resolved.entry);
    return { node, found: this.#found(node, resolved.freshMs) };
  }

  /** The attributes of `node` now. */
  attributes(node: Node): Attributes {
    return attributesOf(this.currentEntry(node), node.inode, this.#defaults);
  }

  /** What `node` is now, as far as that can be told without waiting. */
  currentEntry(node: Node): Entry {
    if (node.object !== null) return node.object.status();
    // A local directory's times move without its identity changing.
    if (node.entry.kind !== "directory") return node.entry;
    const files = node.volume?.files ?? null;
    try {
      const status = files === null ? "unknown" : files.statusCached(node.path);
      if (status !== "unknown" && status?.kind === "directory") {
        node.entry = { ...status, name: node.name };
      }
    } catch (error) {
      // A mount path is a directory in an outage too, as #mountEntry says.
      if (node.space === null) throw error;
    }
    return node.entry;
  }

  #reply(parent: Node, { entry, freshMs }: Resolved): Reply {
    if (entry === null) {
      return { kind: "absent", validMs: Math.min(this.#validity.negativeMs, freshMs) };
    }
    const node = this.#nodes.obtain(parent, entry);
    node.lookups += 1;
    node.lookedUpMs = this.#listings.nowMs;
    // The store has this version, whatever an earlier read was told.
    node.gone = false;
    return {
      kind: "entry",
      entry: this.#found(node, freshMs),
      withdraw: () => this.#nodes.forget(node.id, 1),
    };
  }

  #found(node: Node, freshMs: number): FoundEntry {
    return {
      node: node.id,
      attributes: attributesOf(node.entry, node.inode, this.#defaults),
      entryValidMs: Math.min(this.#validity.entryMs, freshMs),
      attributesValidMs: Math.min(this.#validity.attributesMs, freshMs),
    };
  }

  /** The answer, if nothing has to be waited for. */
  #resolveNow(parent: Node, name: string): Resolved | null {
    const space = parent.space?.children.get(name);
    if (space !== undefined) {
      return { entry: this.#mountEntry(space.volume, name), freshMs: this.#validity.staleTtlMs };
    }
    const { volume } = parent;
    if (volume === null) return { entry: null, freshMs: this.#validity.staleTtlMs };
    if (volume.files !== null) {
      const status = volume.files.statusCached(joinPath(parent.path, name));
      return status === "unknown" ? null : { entry: status, freshMs: this.#validity.staleTtlMs };
    }
    const listing = this.#listings.fresh(volume, parent.path);
    const listed = listing?.find(name) ?? { kind: "unknown" };
    if (listing === null || listed.kind === "unknown") return null;
    const entry = listed.kind === "found" ? listed.entry : null;
    return { entry, freshMs: this.#listings.remainingMs(listing) };
  }

  async #resolve(parent: Node, name: string, signal: AbortSignal): Promise<Resolved> {
    const { volume } = parent;
    if (volume === null) return { entry: null, freshMs: this.#validity.staleTtlMs };
    const path = joinPath(parent.path, name);
    const ask = async (own: AbortSignal) => ({
      entry: await volume.statuses.run(path, own, (shared) => volume.backend.stat(path, shared)),
    });
    const { staleTtlMs } = this.#validity;
    const { offline } = volume;
    if (offline === null) return { ...await ask(signal), freshMs: staleTtlMs };
    const known = () => this.#listings.known(volume, offline, parent.path, name);
    const { value: { entry }, from } = await offline.ask(ask, known, signal);
    return { entry, freshMs: from === "store" ? staleTtlMs : Math.min(staleTtlMs, KNOWN_FRESH_MS) };
  }

  /** A mount path is a directory whatever its backend says, so that it is there in an outage. */
  #mountEntry(volume: Volume | null, name: string): Entry {
    const files = volume?.files ?? null;
    if (files === null) return directoryEntry(name);
    try {
      const root = files.statusCached("");
      if (root !== "unknown" && root?.kind === "directory") return { ...root, name };
    } catch {
      // Its own operations report what is wrong with it.
    }
    return directoryEntry(name);
  }

  #listedFreshMs(parent: Node, begunMs: number): number {
    if (parent.volume === null) return this.#validity.staleTtlMs;
    const listing = this.#listings.fresh(parent.volume, parent.path);
    // A directory that is open for long shows a listing that a later one has replaced.
    return listing?.begunMs === begunMs ? this.#listings.remainingMs(listing) : 0;
  }
}
