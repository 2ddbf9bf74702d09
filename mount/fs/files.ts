/** Open files: OPEN, READ, LSEEK, RELEASE. All handles of a node share one open object. */
import { BackendError, baseName } from "../../cache/backend/backend.ts";
import type { OpenObject } from "../../cache/object/open_object.ts";
import { assert, present } from "../../cache/platform/assert.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { handleId } from "../fuse/ids.ts";
import type { HandleId, LazySignal, Reply } from "../fuse/messages.ts";
import type { Node, NodeTable } from "./nodes.ts";
import { opened, released } from "./open_mode.ts";

/** Registers files that the kernel reads by itself. */
export interface BackingFiles {
  /** An id for `fd`, or null where the kernel will not take it. */
  register(fd: number): number | null;
  unregister(id: number): void;
  /** A file of `sizeBytes` was opened for the kernel to read by itself. */
  opened(sizeBytes: number): void;
}

/** What others want to know of open files. */
export interface OpenFileEvents {
  /** `node` is being opened by `uid`. */
  opened(node: Node, uid: number): void;
  /** `node` is open for `uid`: its object is held, and nothing of it was read yet by this open. */
  held(node: Node, uid: number): void;
  /** Whether the kernel has just asked for the name of `node`. */
  isJustLookedUp(node: Node): boolean;
  /** The version of `node` turned out to be gone from its store. */
  gone(node: Node): void;
}

/** A version that is open, and how all who have it open read it. */
export interface OpenVersion {
  readonly version: string;
  readonly mode: "cached" | "passthrough";
  readonly opens: number;
}

const NOTHING: Reply = { kind: "bytes", bytes: new Uint8Array(0), release: () => undefined };

/** The open files of a mount. */
export class OpenFiles {
  readonly #nodes: NodeTable;
  readonly #backing: BackingFiles;
  readonly #events: OpenFileEvents;
  readonly #handles = new Map<HandleId, Node>();
  #nextHandle = 1;

  constructor(
    nodes: NodeTable,
    backing: BackingFiles,
    events: OpenFileEvents,
  ) {
    this.#nodes = nodes;
    this.#backing = backing;
    this.#events = events;
  }

  /** Open handles. */
  get size(): number {
    return this.#handles.size;
  }

  /** The open versions of the file at `path` of a backend. Looks at every open handle. */
  versionsOf(backend: string, path: string): readonly OpenVersion[] {
    const name = baseName(path);
    // Names are at hand, paths are put together.
    const nodes = [...new Set(this.#handles.values())].filter((node) =>
      node.name === name && node.volume?.name === backend && node.path === path
    );
    return nodes.flatMap(({ entry, openMode }) =>
      entry.kind !== "object" || openMode.mode === "none"
        ? []
        : [{ version: entry.version, mode: openMode.mode, opens: openMode.opens }]
    );
  }

  open(node: Node, flags: number, uid: number): Reply | Promise<Reply> {
    if ((flags & OPEN_FLAGS.ACCMODE) !== OPEN_FLAGS.RDONLY) {
      return { kind: "error", errno: ERRNO.EROFS };
    }
    if (node.entry.kind !== "object" || node.volume === null) {
      return { kind: "error", errno: ERRNO.EISDIR };
    }
    // The kernel repeats the walk with a fresh LOOKUP and comes back with the current version.
    if (node.gone) return { kind: "error", errno: ERRNO.ESTALE };
    this.#events.opened(node, uid);
    if (node.object !== null) return this.#opened(node, node.object, uid);
    const object = this.#noticeGone(node, () => openObject(node, uid));
    if (!(object instanceof Promise)) return this.#opened(node, object, uid);
    return object.then((found) => {
      // Another open of the node may have come first.
      if (node.object !== null) found.close();
      return this.#opened(node, node.object ?? found, uid);
    });
  }

  read(handle: HandleId, offset: number, size: number, signal: LazySignal): Reply | Promise<Reply> {
    const node = this.#nodeOf(handle);
    const object = present(node.object, "object of an open file");
    const length = Math.min(size, object.entry.sizeBytes - offset);
    if (length <= 0) return NOTHING;
    const bytes = this.#noticeGone(node, () => object.readNow(offset, length));
    if (bytes !== null && !(bytes instanceof Promise)) {
      return { kind: "bytes", bytes, release: () => undefined };
    }
    return this.#readLater(node, object, offset, length, signal.get());
  }

  seek(handle: HandleId, offset: number, whence: "data" | "hole"): Reply {
    const object = present(this.#nodeOf(handle).object, "object of an open file");
    if (offset >= object.entry.sizeBytes) return { kind: "error", errno: ERRNO.ENXIO };
    const found = object.seek(offset, whence);
    // Only a hole follows: there is no data to find.
    if (whence === "data" && found >= object.entry.sizeBytes) {
      return { kind: "error", errno: ERRNO.ENXIO };
    }
    return { kind: "offset", offset: found };
  }

  release(handle: HandleId): void {
    const node = this.#nodeOf(handle);
    this.#handles.delete(handle);
    this.#leave(node);
  }

  /** Closes everything, when the kernel is gone. */
  closeAll(): void {
    for (const handle of [...this.#handles.keys()]) this.release(handle);
  }

  #opened(node: Node, object: OpenObject, uid: number): Reply {
    node.object = object;
    node.openMode = opened(node.openMode, () => {
      const { backingFd } = object;
      return backingFd === null ? null : this.#backing.register(backingFd);
    });
    if (!isVersion(node, object) && !this.#mayShowLater(node)) return this.#stale(node);
    node.wasOpened = true;
    this.#events.held(node, uid);
    const handle = handleId(this.#nextHandle);
    this.#nextHandle += 1;
    this.#handles.set(handle, node);
    const { openMode } = node;
    if (openMode.mode === "passthrough") {
      this.#backing.opened(object.entry.sizeBytes);
      object.passedThrough();
    }
    return {
      kind: "opened",
      handle,
      as: openMode.mode === "passthrough"
        ? { mode: "passthrough", backingId: openMode.backingId }
        : { mode: "cached" },
      withdraw: () => this.release(handle),
    };
  }

  /** One open of `node` less. */
  #leave(node: Node): void {
    const { next, freedBackingId } = released(node.openMode);
    node.openMode = next;
    if (freedBackingId !== null) this.#backing.unregister(freedBackingId);
    if (next.mode !== "none") return;
    node.object?.close();
    node.object = null;
    this.#nodes.freeIfUnused(node);
  }

  /**
   * Whether an open may show a later version of a local file than the node stands for. Normally it
   * may not: ESTALE makes the kernel look the name up again, attributes included. A file that is
   * being written to all the time has changed again when it comes back, and then may be shown as it
   * is, in passthrough, where no page of an earlier version is kept.
   */
  #mayShowLater(node: Node): boolean {
    return node.openMode.mode === "passthrough" && !node.wasOpened &&
      this.#events.isJustLookedUp(node);
  }

  /** Gives up an open whose bytes are not those that the node's page cache stands for. */
  #stale(node: Node): Reply {
    this.#leave(node);
    return { kind: "error", errno: ERRNO.ESTALE };
  }

  async #readLater(
    node: Node,
    object: OpenObject,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Reply> {
    const lease = await this.#noticeGone(node, () => object.read(offset, length, signal));
    return { kind: "bytes", bytes: lease.bytes, release: lease.release };
  }

  #nodeOf(handle: HandleId): Node {
    const node = this.#handles.get(handle);
    assert(node !== undefined, `Handle ${handle} is open`);
    return node;
  }

  /** Runs `operation` and, where it fails because the version is gone, remembers that. */
  #noticeGone<T>(node: Node, operation: () => T | Promise<T>): T | Promise<T> {
    const notice = (error: unknown): never => {
      if (error instanceof BackendError && error.code === "changed") {
        node.gone = true;
        this.#events.gone(node);
      }
      throw error;
    };
    try {
      const result = operation();
      return result instanceof Promise ? result.catch(notice) : result;
    } catch (error) {
      return notice(error);
    }
  }
}

function openObject(node: Node, uid: number): OpenObject | Promise<OpenObject> {
  assert(node.entry.kind === "object" && node.volume !== null, "Only objects are opened");
  return node.volume.objects.open(node.path, node.entry, uid);
}

/** Whether `object` holds the bytes of exactly the node's version. */
function isVersion({ entry }: Node, object: OpenObject): boolean {
  return entry.kind === "object" && entry.version === object.entry.version;
}
