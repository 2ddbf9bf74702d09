/**
 * The operations of the mounted file system: Request → Reply. Knows no bytes and no descriptors.
 *
 * Errors become replies here and nowhere else; what is answered without waiting is answered
 * without a promise.
 */
import { baseName } from "../../cache/backend/backend.ts";
import type { DirectoryReadaheadSettings } from "../../cache/readahead/directory_readahead.ts";
import { encodeName } from "../../cache/platform/byte_name.ts";
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import { hintOf } from "../../cache/platform/exit.ts";
import type { Logger } from "../../cache/platform/log.ts";
import { unreachable } from "../../cache/platform/assert.ts";
import type {
  Forgotten,
  Handler,
  LazySignal,
  Notification,
  Reply,
  Request,
} from "../fuse/messages.ts";
import type { NamespaceNode } from "../namespace.ts";
import type { DefaultAttributes } from "./attributes.ts";
import { DirectoryAhead } from "./directory_ahead.ts";
import { OpenDirectories } from "./directories.ts";
import { verdictOn } from "./errno.ts";
import { type BackingFiles, OpenFiles, type OpenVersion } from "./files.ts";
import type { Listings } from "./listings.ts";
import { Lookups, type Validity } from "./lookups.ts";
import { type Node, NodeTable } from "./nodes.ts";
import { Reclaimer } from "./reclaim.ts";
import type { Volume } from "./volume.ts";
import { askedAttribute, extendedAttribute, SOCKET_ATTRIBUTE } from "./xattrs.ts";

const EMPTY: Reply = { kind: "empty" };
const NONE: Reply = { kind: "none" };
/** Longest time from a LOOKUP to the OPEN it was made for. */
const JUST_MS = 100;
const MAY_WRITE = 2; // W_OK of unistd.h
/** A petabyte with nothing free: `df` shows the mount, and nobody plans to write to it. */
const STATUS = { blockBytes: 4096, blocks: 2 ** 38, files: 0, nameBytesMax: 255 };

/** What the file system is made of. */
export interface FileSystemDeps {
  readonly space: NamespaceNode<Volume>;
  readonly listings: Listings;
  readonly validity: Validity;
  readonly defaults: DefaultAttributes;
  readonly backing: BackingFiles;
  /** Sends a message to the kernel; whether it was accepted. */
  readonly notify: (notification: Notification) => Promise<boolean>;
  /** The kernel can drop inodes by number. */
  readonly kernelPrunes: boolean;
  /** The kernel may keep listings in its page cache. */
  readonly kernelKeepsListings: boolean;
  /** How far to read ahead across the files of a directory. */
  readonly directoryAhead: DirectoryReadaheadSettings;
  readonly blockBytes: number;
  /** Path of the mount's user socket, told by an attribute of the root; null without one. */
  readonly controlSocket: string | null;
  /** Nodes kept before the kernel is made to forget idle ones. */
  readonly nodesMax: number;
  /** `node`, an object, is open for `uid`: its bytes are held, and none was read yet. */
  readonly opened: (node: Node, uid: number) => void;
  readonly logger: Logger;
}

/** The file system of one mount. */
export class FileSystem implements Handler {
  readonly #deps: FileSystemDeps;
  readonly #nodes: NodeTable;
  readonly #lookups: Lookups;
  readonly #files: OpenFiles;
  readonly #directories: OpenDirectories;
  readonly #reclaimer: Reclaimer;

  constructor(deps: FileSystemDeps) {
    const { listings, validity, defaults, nodesMax } = deps;
    this.#deps = deps;
    this.#nodes = new NodeTable(deps.space);
    this.#lookups = new Lookups(this.#nodes, listings, validity, defaults);
    const ahead = new DirectoryAhead(listings, deps.directoryAhead, deps.blockBytes);
    this.#files = new OpenFiles(this.#nodes, deps.backing, {
      opened: (node, uid) => ahead.opened(node, uid),
      held: deps.opened,
      isJustLookedUp: (node) => listings.nowMs - node.lookedUpMs < JUST_MS,
      gone: (node) => this.#onGone(node),
    });
    this.#directories = new OpenDirectories(
      this.#nodes,
      listings,
      this.#lookups,
      deps.kernelKeepsListings,
      nodesMax,
    );
    this.#reclaimer = new Reclaimer(this.#nodes, nodesMax, deps.kernelPrunes, deps.notify);
  }

  /** Nodes the kernel knows. */
  get nodes(): number {
    return this.#nodes.size;
  }

  /** Open file handles. */
  get openFiles(): number {
    return this.#files.size;
  }

  /** The open versions of the file at `path` of a backend, and how they are read. */
  openVersions(backend: string, path: string): readonly OpenVersion[] {
    return this.#files.versionsOf(backend, path);
  }

  handle(request: Request, signal: LazySignal): Reply | Promise<Reply> {
    try {
      const reply = this.#answer(request, signal);
      return reply instanceof Promise
        ? reply.catch((error: unknown) => this.#failed(request, error))
        : reply;
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  /** Gives back what the kernel no longer will, once the mount is gone. */
  close(): void {
    this.#files.closeAll();
  }

  #answer(request: Request, signal: LazySignal): Reply | Promise<Reply> {
    switch (request.op) {
      case "read":
        return this.#files.read(request.handle, request.offset, request.size, signal);
      case "lookup":
        this.#reclaimer.check();
        return this.#lookups.lookup(this.#nodes.get(request.node), request.name, signal);
      case "forget":
        return this.#forget(request.forgotten);
      case "getattr":
      case "statx":
        return this.#attributes(request.op, this.#nodes.get(request.node));
      case "open":
        return this.#files.open(this.#nodes.get(request.node), request.flags, request.uid);
      case "release":
        this.#files.release(request.handle);
        return EMPTY;
      case "opendir":
        return this.#directories.open(this.#nodes.get(request.node));
      case "readdir":
        this.#reclaimer.check();
        return this.#directories.read(request.handle, request.cookie, request.records, signal);
      case "releasedir":
        this.#directories.release(request.handle);
        return EMPTY;
      case "readlink":
        return this.#readLink(this.#nodes.get(request.node));
      case "lseek":
        return this.#files.seek(request.handle, request.offset, request.whence);
      case "getxattr":
        return this.#getXattr(this.#nodes.get(request.node), request, signal);
      case "listxattr":
        return request.size === 0 ? { kind: "size", sizeBytes: 0 } : EMPTY;
      case "statfs":
        return { kind: "statfs", status: STATUS };
      case "access":
        return (request.mask & MAY_WRITE) === 0 ? EMPTY : { kind: "error", errno: ERRNO.EROFS };
      case "flush":
      case "destroy":
        return EMPTY;
      case "ioctl":
        return { kind: "error", errno: ERRNO.ENOTTY };
      case "modify":
        return { kind: "error", errno: ERRNO.EROFS };
      case "unsupported":
        return { kind: "error", errno: ERRNO.ENOSYS };
      default:
        return unreachable(request);
    }
  }

  #forget(forgotten: readonly Forgotten[]): Reply {
    for (const { node, lookups } of forgotten) this.#nodes.forget(node, lookups);
    return NONE;
  }

  #attributes(kind: "getattr" | "statx", node: Node): Reply {
    const attributes = this.#lookups.attributes(node);
    const validMs = this.#deps.validity.attributesMs;
    return { kind: kind === "statx" ? "statx" : "attributes", attributes, validMs };
  }

  async #readLink(node: Node): Promise<Reply> {
    const files = node.volume?.files ?? null;
    if (files === null) return { kind: "error", errno: ERRNO.EINVAL };
    const bytes = await files.linkTarget(node.path);
    return { kind: "bytes", bytes, release: () => undefined };
  }

  async #getXattr(
    node: Node,
    { name, size }: { readonly name: string; readonly size: number },
    signal: LazySignal,
  ): Promise<Reply> {
    const value = node === this.#nodes.root && name === SOCKET_ATTRIBUTE
      ? this.#deps.controlSocket
      : extendedAttribute(node, name) ?? await askedAttribute(node, name, signal);
    if (value === null) return { kind: "error", errno: ERRNO.ENODATA };
    const bytes = encodeName(value);
    if (size === 0) return { kind: "size", sizeBytes: bytes.length };
    if (bytes.length > size) return { kind: "error", errno: ERRNO.ERANGE };
    return { kind: "bytes", bytes, release: () => undefined };
  }

  /** A version is gone: what listings say of its directory is out of date. */
  #onGone(node: Node): void {
    if (node.volume === null) return;
    const { path } = node;
    const directory = path.slice(0, Math.max(0, path.length - baseName(path).length - 1));
    this.#deps.listings.invalidate(node.volume, directory);
  }

  #failed(request: Request, error: unknown): Reply {
    const verdict = verdictOn(error);
    if (verdict === null) throw error;
    const { errno, level } = verdict;
    const hint = hintOf(error);
    this.#deps.logger[level](`Answer ${request.op} with ${errnoName(errno)}`, {
      error,
      ...(hint === null ? {} : { hint }),
      pid: request.pid,
      path: this.#describe(request),
    });
    return { kind: "error", errno };
  }

  #describe(request: Request): string {
    // Once its caller was let go, the kernel may forget the node of a request that goes on.
    const node = this.#nodes.find(request.node);
    const name = request.op === "lookup" ? request.name : "";
    // The root of a volume has an empty path.
    return [node?.volume?.name ?? "", node?.path ?? "", name].filter((part) => part !== "")
      .join("/");
  }
}
