/** Open directories: OPENDIR, READDIR(PLUS), RELEASEDIR. */
import { abortable } from "../../cache/backend/abort_scope.ts";
import { assert } from "../../cache/platform/assert.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { handleId } from "../fuse/ids.ts";
import type { DirectoryRecords, HandleId, LazySignal, OpenedAs, Reply } from "../fuse/messages.ts";
import { typeBits } from "./attributes.ts";
import { FROM_STORE, type ListedName, Listing } from "./listing.ts";
import type { Listings } from "./listings.ts";
import type { Lookups } from "./lookups.ts";
import { SiblingListings } from "./sibling_listings.ts";
import { childInode, type Node, type NodeTable } from "./nodes.ts";

interface OpenDirectory {
  readonly node: Node;
  readonly listing: Listing;
}

/** `.` and `..` come before the listing. */
const DOT_NAMES = 2;

/** The open directories of a mount. */
export class OpenDirectories {
  readonly #nodes: NodeTable;
  readonly #listings: Listings;
  readonly #lookups: Lookups;
  readonly #siblings: SiblingListings;
  /** The kernel may keep listings in its page cache (not on 6.9 to 6.12, which never drop them). */
  readonly #kernelKeeps: boolean;
  /** Above this many nodes, records carry no attributes: those would add a node each. */
  readonly #nodesMax: number;
  readonly #handles = new Map<HandleId, OpenDirectory>();
  #nextHandle = 1;

  constructor(
    nodes: NodeTable,
    listings: Listings,
    lookups: Lookups,
    kernelKeeps: boolean,
    nodesMax: number,
  ) {
    this.#nodes = nodes;
    this.#listings = listings;
    this.#lookups = lookups;
    this.#siblings = new SiblingListings(listings);
    this.#kernelKeeps = kernelKeeps;
    this.#nodesMax = nodesMax;
  }

  open(node: Node): Reply {
    if (node.entry.kind !== "directory") return { kind: "error", errno: ERRNO.ENOTDIR };
    const listing = this.#listingOf(node);
    this.#siblings.opened(node);
    const as: OpenedAs = { mode: "directory", listing: this.#kernelUse(node, listing) };
    const handle = handleId(this.#nextHandle);
    this.#nextHandle += 1;
    this.#handles.set(handle, { node, listing });
    return { kind: "opened", handle, as, withdraw: () => this.release(handle) };
  }

  read(
    handle: HandleId,
    cookie: number,
    records: DirectoryRecords,
    signal: LazySignal,
  ): Reply | Promise<Reply> {
    const directory = this.#handles.get(handle);
    assert(directory !== undefined, `Directory handle ${handle} is open`);
    // The kernel sends READDIRPLUS for the beginning of every directory, later only where somebody
    // asked for attributes. Those of stores come with the listing; of local files each costs calls.
    return this.#readFrom(directory, cookie, records, cookie > 0, signal);
  }

  release(handle: HandleId): void {
    this.#handles.delete(handle);
  }

  /** Holds on to the directory: its handle may be closed before a page comes. */
  #readFrom(
    directory: OpenDirectory,
    cookie: number,
    records: DirectoryRecords,
    wanted: boolean,
    signal: LazySignal,
  ): Reply | Promise<Reply> {
    const counted: Node[] = [];
    const missing = this.#fill(directory, cookie, records, wanted, counted);
    if (missing === null) return this.#reply(records, counted);
    // A caller that leaves does not take the page away from others who wait for it.
    return abortable(directory.listing.loadTo(missing - DOT_NAMES), signal.get()).then(() =>
      this.#readFrom(directory, missing, records, wanted, signal)
    );
  }

  #reply(records: DirectoryRecords, counted: readonly Node[]): Reply {
    for (const node of counted) node.lookups += 1;
    return {
      kind: "records",
      records,
      withdraw: () => counted.forEach((node) => this.#nodes.forget(node.id, 1)),
    };
  }

  /**
   * Appends records from position `cookie` on until they no longer fit, the directory ends or a
   * name is not loaded, and returns null; or, where no name was appended, the position of that
   * name. A reply without records would end the directory, and one with only "." and ".." would
   * waste the READDIRPLUS: the kernel sends it for the first request, then only on demand, and
   * `ls -l` would look up name by name.
   */
  #fill(
    directory: OpenDirectory,
    cookie: number,
    records: DirectoryRecords,
    wanted: boolean,
    counted: Node[],
  ): number | null {
    const { node, listing } = directory;
    let appended = false;
    for (let position = cookie;; position += 1) {
      if (position < DOT_NAMES) {
        const target = position === 0 ? node : node.parent ?? node;
        const name = position === 0 ? "." : "..";
        const type = typeBits("directory");
        // The kernel counts no lookup for these two, so they carry no node.
        if (!records.add({ name, inode: target.inode, type, cookie: position + 1 }, null)) {
          return null;
        }
        continue;
      }
      const listed = listing.at(position - DOT_NAMES);
      if (listed === undefined) return appended ? null : position;
      if (listed === "gone") continue;
      if (listed === null) return null;
      const attributes = records.plus && (wanted || listed.entry !== null);
      if (!this.#add(directory, listed, position + 1, records, attributes, counted)) return null;
      appended = true;
    }
  }

  #add(
    { node: parent, listing }: OpenDirectory,
    listed: ListedName,
    cookie: number,
    records: DirectoryRecords,
    attributes: boolean,
    counted: Node[],
  ): boolean {
    const { name, kind } = listed;
    const plus = attributes && this.#nodes.size < this.#nodesMax
      ? this.#lookups.peek(parent, name, listed.entry, listing.begunMs)
      : null;
    const type = typeBits(plus?.node.entry.kind ?? kind);
    const record = { name, inode: childInode(parent, name), type, cookie };
    const added = records.add(record, plus?.found ?? null);
    if (plus !== null) {
      if (added) counted.push(plus.node);
      else this.#nodes.freeIfUnused(plus.node);
    }
    return added;
  }

  /** The store's names of the directory with the backends mounted in it. */
  #listingOf(node: Node): Listing {
    const mounted: ListedName[] = [...node.space?.children.keys() ?? []].sort().map((name) => ({
      name,
      kind: "directory",
      entry: null,
    }));
    const stored = this.#storedListing(node);
    return stored === null || mounted.length > 0 ? mergedListing(mounted, stored) : stored;
  }

  #storedListing(node: Node): Listing | null {
    if (node.volume === null) return null;
    const entry = this.#lookups.currentEntry(node);
    return this.#listings.open(node.volume, node.path, entry.kind === "directory" ? entry : null);
  }

  #kernelUse(node: Node, listing: Listing): "uncached" | "fill" | "reuse" {
    if (!this.#kernelKeeps) return "uncached";
    if (node.kernelListing === listing.identity) return "reuse";
    // Two listings being read at once would be mixed in the kernel's one cached copy.
    for (const open of this.#handles.values()) {
      if (open.node === node && open.listing !== listing) return "uncached";
    }
    node.kernelListing = listing.identity;
    return "fill";
  }
}

/** Mounted names first, then those of the store that they do not hide. */
function mergedListing(mounted: readonly ListedName[], stored: Listing | null): Listing {
  const hidden = new Set(mounted.map(({ name }) => name));
  return new Listing(stored?.begunMs ?? 0, Number.MAX_SAFE_INTEGER, async (token) => {
    if (token === null) {
      return { names: mounted, next: stored === null ? null : "0", origin: FROM_STORE };
    }
    const names: ListedName[] = [];
    let position = Number(token);
    await stored?.loadTo(position);
    for (let listed = stored?.at(position); listed; listed = stored?.at(position)) {
      if (listed !== "gone" && !hidden.has(listed.name)) names.push(listed);
      position += 1;
    }
    const next = stored?.at(position) === null ? null : String(position);
    return { names, next, origin: FROM_STORE };
  });
}
