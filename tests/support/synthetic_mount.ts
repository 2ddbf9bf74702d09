/**
 * A mount of a store that exists only as a formula: `DIRS` directories of `FILES` objects each,
 * served until it is unmounted. Arguments: mount point, DIRS, FILES, limit of the node table.
 *
 * Millions of objects would take hours to upload to any real store, and what is measured here is
 * the memory of the mount.
 */
import { AdaptiveLimit } from "../../cache/backend/guard/adaptive_limit.ts";
import type { Backend, Entry, ListPage } from "../../cache/backend/backend.ts";
import { baseName } from "../../cache/backend/backend.ts";
import { FetchBuffers } from "../../cache/fetch/fetch_buffers.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { silentLogger } from "../../cache/platform/log.ts";
import { FileSystem } from "../../mount/fs/filesystem.ts";
import { Listings } from "../../mount/fs/listings.ts";
import { attach } from "../../mount/fuse/attach.ts";
import { Device } from "../../mount/fuse/device.ts";
import { Session } from "../../mount/fuse/session.ts";
import { buildNamespace } from "../../mount/namespace.ts";
import { volumeOf } from "../../mount/volumes.ts";

const PAGE_ENTRIES = 5_000;
const MODIFIED = { seconds: 1_700_000_000, nanoseconds: 0 };

class SyntheticBackend implements Backend {
  readonly name = "synthetic";
  readonly provider = "memory";

  constructor(readonly directories: number, readonly files: number) {}

  list(directory: string, token: string | null): Promise<ListPage> {
    const start = Number(token ?? 0);
    const total = directory === "" ? this.directories : this.files;
    const end = Math.min(total, start + PAGE_ENTRIES);
    const entries = Array.from(
      { length: end - start },
      (_, index) =>
        directory === ""
          ? directoryEntry(`directory-${start + index}`)
          : objectEntry(`object-${String(start + index).padStart(8, "0")}.jpg`),
    );
    return Promise.resolve({ entries, next: end < total ? String(end) : null, unlistable: 0 });
  }

  stat(path: string): Promise<Entry | null> {
    const name = baseName(path);
    return Promise.resolve(path.includes("/") ? objectEntry(name) : directoryEntry(name));
  }

  checksum = () => Promise.resolve(null);
  read = refuse;
  put = refuse;
  remove = refuse;
  copy = refuse;
  [Symbol.asyncDispose] = () => Promise.resolve();
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("A synthetic object has no bytes"));
}

function directoryEntry(name: string): Entry {
  return { kind: "directory", name, modified: MODIFIED, posix: null };
}

function objectEntry(name: string): Entry {
  const version = `0x8D${name.slice(7, 15)}00000`;
  return {
    kind: "object",
    name,
    sizeBytes: 4096,
    modified: MODIFIED,
    version,
    etag: version,
    posix: null,
  };
}

const [mountPoint = "", directories, files, nodesMax] = Deno.args;
const libc = Libc.open();
const backend = new SyntheticBackend(Number(directories), Number(files));
const settings = { name: "synthetic", mountPath: "", timeoutMs: 30_000 };
const buffers = new FetchBuffers(64 * 1024 * 1024);
const opened = { backend, limit: new AdaptiveLimit(64), files: null };
const volume = volumeOf(settings, opened, null, { clock: systemClock, libc, buffers });
const { fd } = await attach(libc, mountPoint, false);
const session = new Session(new Device(libc, fd), {
  clock: systemClock,
  logger: silentLogger,
  recorder: () => () => undefined,
  isBeingKilled: () => false,
  trace: false,
});
const features = await session.connect({
  readAheadBytes: 1024 * 1024,
  maxBackground: 64,
  congestionThreshold: 48,
  passthrough: false,
  stackDepth: 1,
  pageBytes: libc.pageBytes(),
});
const fileSystem = new FileSystem({
  space: buildNamespace([volume]),
  listings: new Listings({
    clock: systemClock,
    staleTtlMs: 60_000,
    entriesMax: 200_000,
    onUnlistable: () => undefined,
    signal: new AbortController().signal,
  }),
  validity: { attributesMs: 60_000, entryMs: 60_000, negativeMs: 5_000, staleTtlMs: 60_000 },
  defaults: { uid: 0, gid: 0, fileMode: 0o444, directoryMode: 0o555, directoryModified: MODIFIED },
  backing: { register: () => null, unregister: () => undefined, opened: () => undefined },
  notify: (notification) => session.notify(notification),
  kernelPrunes: features.prune,
  kernelKeepsListings: false,
  directoryAhead: { files: 4, blocksPerFile: 4 },
  opened: () => undefined,
  controlSocket: null,
  blockBytes: 4 * 1024 * 1024,
  nodesMax: Number(nodesMax),
  logger: silentLogger,
});
await session.serve(fileSystem);
