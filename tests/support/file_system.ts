/**
 * A file system without a kernel: requests as values, over stores in memory, with the kernel's
 * own bookkeeping of lookups beside it.
 */
import assert from "node:assert/strict";
import { AdaptiveLimit } from "../../cache/backend/guard/adaptive_limit.ts";
import type { Backend } from "../../cache/backend/backend.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import { FetchBuffers } from "../../cache/fetch/fetch_buffers.ts";
import { Libc } from "../../cache/platform/libc.ts";
import type { LogFields, Logger } from "../../cache/platform/log.ts";
import { FileSystem } from "../../mount/fs/filesystem.ts";
import { Listings } from "../../mount/fs/listings.ts";
import type { Offline } from "../../mount/fs/offline.ts";
import { RecordsBuffer } from "../../mount/fuse/encode.ts";
import { requestId, ROOT_NODE } from "../../mount/fuse/ids.ts";
import type {
  FoundEntry,
  HandleId,
  NodeId,
  Notification,
  Operation,
  Reply,
} from "../../mount/fuse/messages.ts";
import { buildNamespace } from "../../mount/namespace.ts";
import { volumeOf } from "../../mount/volumes.ts";
import { collectedLog } from "./collected_log.ts";
import { parseRecords, type ReadRecord } from "./directory_records.ts";
import { FakeClock } from "./fake_clock.ts";
import { ScriptedBackend } from "./scripted_backend.ts";

/** How a file system of a test behaves. Durations in milliseconds. */
export interface FileSystemSettings {
  /** Entries of one page of a listing. */
  readonly pageSize: number;
  /** Names that all listings may hold together. */
  readonly listingEntriesMax: number;
  readonly staleTtlMs: number;
  readonly attributesMs: number;
  readonly entryMs: number;
  readonly negativeMs: number;
  readonly nodesMax: number;
  readonly kernelPrunes: boolean;
  readonly kernelKeepsListings: boolean;
}

/** Those of a mount without a configuration, with pages small enough to make several. */
export const SETTINGS: FileSystemSettings = {
  pageSize: 4,
  listingEntriesMax: 500_000,
  staleTtlMs: 60_000,
  attributesMs: 60_000,
  entryMs: 60_000,
  negativeMs: 5_000,
  nodesMax: 1_000_000,
  kernelPrunes: true,
  kernelKeepsListings: false,
};

/** The owner and modes that objects show. */
export const OWNER = { uid: 1000, gid: 100, fileMode: 0o444, directoryMode: 0o555 };
const MOUNTED_AT = { seconds: 1_700_000_000, nanoseconds: 0 };
const PAGE_BYTES = 4096;

/** A store in memory and where it is mounted. */
export interface Store {
  readonly memory: MemoryBackend;
  /** What the file system talks to; its steps make it fail. */
  readonly scripted: ScriptedBackend;
}

/** A file system and the kernel's side of it. */
export class FileSystemFixture {
  readonly clock = new FakeClock();
  readonly notifications: Notification[] = [];
  readonly unlistable: number[] = [];
  readonly records: LogFields[];
  readonly fs: FileSystem;
  readonly #stores = new Map<string, Store>();
  /** References the kernel holds. */
  readonly #lookups = new Map<NodeId, number>();
  #nextId = 2;

  /**
   * `wrap` stands between the file system and each scripted store; `offline` answers for a store
   * that does not.
   */
  constructor(
    settings: FileSystemSettings = SETTINGS,
    mountPaths: readonly string[] = ["data"],
    wrap: (backend: Backend) => Backend = (backend) => backend,
    offline: (backend: string, clock: FakeClock, logger: Logger) => Offline | null = () => null,
  ) {
    const { clock } = this;
    const { logger, records } = collectedLog();
    this.records = records;
    const libc = Libc.open();
    const buffers = new FetchBuffers(64 * 1024 * 1024);
    const volumes = mountPaths.map((mountPath) => {
      const memory = new MemoryBackend(mountPath, { ...settings, pieceBytes: 64 }, clock);
      const scripted = new ScriptedBackend(memory);
      this.#stores.set(mountPath, { memory, scripted });
      const opened = { backend: wrap(scripted), limit: new AdaptiveLimit(64), files: null };
      const volume = { name: mountPath, mountPath, timeoutMs: 30_000 };
      return {
        ...volumeOf(volume, opened, null, { clock, libc, buffers }),
        offline: offline(mountPath, clock, logger),
      };
    });
    this.fs = new FileSystem({
      space: buildNamespace(volumes),
      listings: new Listings({
        clock,
        staleTtlMs: settings.staleTtlMs,
        entriesMax: settings.listingEntriesMax,
        onUnlistable: (_volume, _directory, keys) => this.unlistable.push(keys),
        signal: new AbortController().signal,
      }),
      validity: settings,
      defaults: { ...OWNER, directoryModified: MOUNTED_AT },
      backing: { register: () => null, unregister: () => undefined, opened: () => undefined },
      notify: (notification) => {
        this.notifications.push(notification);
        return Promise.resolve(true);
      },
      kernelPrunes: settings.kernelPrunes,
      kernelKeepsListings: settings.kernelKeepsListings,
      nodesMax: settings.nodesMax,
      directoryAhead: { files: 4, blocksPerFile: 4 },
      opened: () => undefined,
      controlSocket: null,
      blockBytes: 4 * 1024 * 1024,
      logger,
    });
  }

  /** The store mounted at `mountPath`. */
  store(mountPath = "data"): Store {
    const store = this.#stores.get(mountPath);
    assert(store !== undefined);
    return store;
  }

  /** Puts objects into the store, past the file system; each holds its own key. */
  seed(...keys: readonly string[]): void {
    for (const key of keys) this.store().memory.seed(key, new TextEncoder().encode(key));
  }

  /** Calls of `operation` that reached the store. */
  calls(operation: "list" | "stat" | "read", mountPath = "data"): number {
    return this.store(mountPath).scripted.seen.filter((seen) => seen.operation === operation)
      .length;
  }

  /** Sends one request; `signal` interrupts it. */
  send(
    operation: Operation,
    node: NodeId = ROOT_NODE,
    signal: AbortSignal = new AbortController().signal,
  ): Reply | Promise<Reply> {
    const header = { id: requestId(this.#nextId), node, uid: 1000, gid: 100, pid: 4711 };
    this.#nextId += 2;
    return this.fs.handle({ ...header, ...operation }, { get: () => signal });
  }

  /** The error number a request is answered with; 0 when it is no error. */
  async errno(operation: Operation, node: NodeId = ROOT_NODE): Promise<number> {
    const reply = await this.send(operation, node);
    return reply.kind === "error" ? reply.errno : 0;
  }

  /** LOOKUP, which the kernel counts. */
  async lookup(parent: NodeId, name: string): Promise<Reply> {
    const reply = await this.send({ op: "lookup", name }, parent);
    if (reply.kind === "entry") this.#count(reply.entry.node);
    return reply;
  }

  /** Looks up every segment of `path`, all of which exist. */
  async find(path: string): Promise<FoundEntry> {
    let found: FoundEntry | null = null;
    for (const name of path.split("/")) {
      const reply = await this.lookup(found?.node ?? ROOT_NODE, name);
      assert(reply.kind === "entry", `${name} of ${path} is ${reply.kind}`);
      found = reply.entry;
    }
    assert(found !== null);
    return found;
  }

  /** OPEN or OPENDIR that succeeds. */
  async open(node: NodeId, op: "open" | "opendir" = "open"): Promise<HandleId> {
    const reply = await this.send(op === "open" ? { op, flags: 0 } : { op }, node);
    assert(reply.kind === "opened", `Opening ended ${JSON.stringify(reply)}`);
    return reply.handle;
  }

  /** READ: the bytes, or the error number. */
  async read(handle: HandleId, offset: number, size: number): Promise<Uint8Array | number> {
    const reply = await this.send({ op: "read", handle, offset, size });
    if (reply.kind === "error") return reply.errno;
    assert(reply.kind === "bytes");
    const bytes = reply.bytes.slice();
    reply.release();
    return bytes;
  }

  /** READDIR or READDIRPLUS from `cookie` on; what fits one reply, or the error number. */
  async readDirectory(
    handle: HandleId,
    cookie: number,
    plus: "plus" | "plain" = "plus",
    size = PAGE_BYTES,
  ): Promise<readonly ReadRecord[] | number> {
    const records = new RecordsBuffer(size, plus === "plus");
    const reply = await this.send({ op: "readdir", handle, cookie, records });
    if (reply.kind === "error") return reply.errno;
    const read = parseRecords(records.filled, records.plus);
    for (const { node } of read) if (node !== null) this.#count(node);
    return read;
  }

  /** Every record from `cookie` on, without `.` and `..`. */
  async readWhole(
    handle: HandleId,
    cookie = 0,
    plus: "plus" | "plain" = "plus",
  ): Promise<readonly ReadRecord[]> {
    const all: ReadRecord[] = [];
    for (;;) {
      const read = await this.readDirectory(handle, all.at(-1)?.cookie ?? cookie, plus);
      assert(typeof read !== "number", `Reading the directory ended with errno ${read}`);
      if (read.length === 0) return all.filter(({ name }) => name !== "." && name !== "..");
      all.push(...read);
    }
  }

  /** Names in the directory `node`, as a new opening of it reads them. */
  async names(node: NodeId): Promise<readonly string[]> {
    const handle = await this.open(node, "opendir");
    const records = await this.readWhole(handle);
    await this.send({ op: "releasedir", handle });
    return records.map(({ name }) => name);
  }

  /** References the kernel holds to `node`. */
  lookups(node: NodeId): number {
    return this.#lookups.get(node) ?? 0;
  }

  /** Nodes the kernel holds references to. */
  get known(): readonly NodeId[] {
    return [...this.#lookups.keys()];
  }

  /** FORGET of every reference to `node`. */
  forget(node: NodeId): void {
    const lookups = this.lookups(node);
    this.#lookups.delete(node);
    const reply = this.send({ op: "forget", forgotten: [{ node, lookups }] });
    assert.deepEqual(reply, { kind: "none" });
  }

  /** Gives every reference back, after which the file system knows no node. */
  forgetAll(): void {
    for (const node of this.known) this.forget(node);
    assert.equal(this.fs.nodes, 0);
  }

  #count(node: NodeId): void {
    this.#lookups.set(node, this.lookups(node) + 1);
  }
}
