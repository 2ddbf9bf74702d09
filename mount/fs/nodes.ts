/**
 * The inodes the kernel knows. A node stands for (backend, path, version): new bytes are a new
 * node, so nothing the kernel caches is ever invalidated in place. Ids are hashes of those three,
 * the same after a restart.
 *
 * The kernel counts its references (lookups) and gives them back by FORGET; at 0 a node is freed.
 */
import { type DirectoryEntry, type Entry, joinPath } from "../../cache/backend/backend.ts";
import type { OpenObject } from "../../cache/object/open_object.ts";
import { assert, unreachable } from "../../cache/platform/assert.ts";
import { nodeId, ROOT_NODE } from "../fuse/ids.ts";
import type { NodeId } from "../fuse/messages.ts";
import type { NamespaceNode } from "../namespace.ts";
import { identityHash } from "../../cache/platform/identity_hash.ts";
import { NOT_OPEN, type OpenMode } from "./open_mode.ts";
import type { Volume } from "./volume.ts";

/** An inode. */
export class Node {
  /** References the kernel holds. */
  lookups = 0;
  openMode: OpenMode = NOT_OPEN;
  /** The bytes, while any handle is open. */
  object: OpenObject | null = null;
  /** When the kernel last asked for its name, on the monotonic clock. */
  lookedUpMs = Number.NEGATIVE_INFINITY;
  /** Whether it was ever open. */
  wasOpened = false;
  /** The store is known to have lost this version. */
  gone = false;
  /** Identity of the listing that the kernel has in its page cache. */
  kernelListing: object | null = null;

  constructor(
    readonly id: NodeId,
    /** st_ino: stands for (backend, path), whatever the version. */
    readonly inode: number,
    readonly parent: Node | null,
    readonly name: string,
    /** Null for directories that exist only on the way to a backend. */
    readonly volume: Volume | null,
    /** Where the node stands in the namespace; null below the mount paths. */
    readonly space: NamespaceNode<Volume> | null,
    /** A directory's changes with its times, all else is part of the node's identity. */
    public entry: Entry,
  ) {}

  /** Its path within its volume; `""` for the volume's root. */
  get path(): string {
    if (this.parent === null || this.isVolumeRoot) return "";
    return joinPath(this.parent.path, this.name);
  }

  /** Whether a backend is mounted at this very node. */
  get isVolumeRoot(): boolean {
    return this.space !== null && this.space.volume !== null;
  }
}

/** All nodes the kernel knows, oldest first. */
export class NodeTable {
  readonly root: Node;
  readonly #nodes = new Map<NodeId, Node>();

  constructor(space: NamespaceNode<Volume>) {
    const inode = space.volume === null ? ROOT_NODE : volumeInode(space.volume);
    this.root = new Node(ROOT_NODE, inode, null, "", space.volume, space, directoryEntry(""));
  }

  /** Nodes besides the root. */
  get size(): number {
    return this.#nodes.size;
  }

  /** The node `id`, which the kernel may only name while it holds a reference. */
  get(id: NodeId): Node {
    const node = this.find(id);
    assert(node !== null, `Node ${id} is known`);
    return node;
  }

  /** The node `id`, or null once it was forgotten. */
  find(id: NodeId): Node | null {
    return id === ROOT_NODE ? this.root : this.#nodes.get(id) ?? null;
  }

  /** The node for `entry` below `parent`, known or new. */
  obtain(parent: Node, entry: Entry): Node {
    const inode = childInode(parent, entry.name);
    const space = parent.space?.children.get(entry.name) ?? null;
    const volume = space?.volume ?? parent.volume;
    const version = versionOf(entry);
    // Two versions or paths with one hash: the later one takes the next free number.
    for (let id = identityHash(inode, version);; id += 1) {
      if (id <= ROOT_NODE || !Number.isSafeInteger(id)) continue;
      const known = this.#nodes.get(nodeId(id));
      if (known === undefined) {
        const node = new Node(nodeId(id), inode, parent, entry.name, volume, space, entry);
        this.#nodes.set(node.id, node);
        return node;
      }
      if (
        known.parent === parent && known.name === entry.name && versionOf(known.entry) === version
      ) {
        known.entry = entry;
        return known;
      }
    }
  }

  /** Takes back `lookups` references; the node is freed with the last. */
  forget(id: NodeId, lookups: number): void {
    if (id === ROOT_NODE) return;
    const node = this.#nodes.get(id);
    // A reference that was withdrawn here may still be in flight from the kernel.
    if (node === undefined) return;
    node.lookups = Math.max(0, node.lookups - lookups);
    this.freeIfUnused(node);
  }

  /** Frees `node` when neither the kernel nor a handle refers to it. */
  freeIfUnused(node: Node): void {
    if (node.lookups > 0 || node.openMode.mode !== "none") return;
    // It may be freed already, while an open that nobody waits for goes on, and its id taken anew.
    if (this.#nodes.get(node.id) === node) this.#nodes.delete(node.id);
  }

  /** Up to `count` nodes that have been known longest and are not open; they become the newest. */
  takeOldestIdle(count: number): Node[] {
    const taken: Node[] = [];
    for (const node of this.#nodes.values()) {
      if (taken.length === count) break;
      if (node.openMode.mode === "none") taken.push(node);
    }
    for (const node of taken) {
      this.#nodes.delete(node.id);
      this.#nodes.set(node.id, node);
    }
    return taken;
  }
}

/** st_ino of the child `name` of `parent`. */
export function childInode(parent: Node, name: string): number {
  const volume = parent.space?.children.get(name)?.volume ?? null;
  return volume === null ? identityHash(parent.inode, name) : volumeInode(volume);
}

/** A directory about which nothing more is known. */
export function directoryEntry(name: string): DirectoryEntry {
  return { kind: "directory", name, modified: null, posix: null };
}

function volumeInode(volume: Volume): number {
  return identityHash(ROOT_NODE, volume.name);
}

function versionOf(entry: Entry): string {
  switch (entry.kind) {
    case "object":
      return `object ${entry.version}`;
    case "directory":
      return "directory";
    case "symlink": {
      const { seconds, nanoseconds } = entry.modified;
      return `symlink ${entry.sizeBytes} ${seconds}.${nanoseconds}`;
    }
    default:
      return unreachable(entry);
  }
}
