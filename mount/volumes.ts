/** From configured backends to the volumes the file system shows. */
import type { BlockCache } from "../cache/block_cache.ts";
import { BufferPool } from "../cache/fetch/buffer_pool.ts";
import type { Entry } from "../cache/backend/backend.ts";
import type { BackendHealth } from "../cache/backend/guard/health.ts";
import { type BackendDeps, openBackend, type OpenedBackend } from "../cache/backend/open.ts";
import type { BackendSettings } from "../cache/backend/settings.ts";
import { FetchScheduler } from "../cache/fetch/fetch.ts";
import type { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { LocalObjects } from "../cache/object/local_object.ts";
import type { ObjectSource } from "../cache/object/open_object.ts";
import { ReadThrough } from "../cache/fetch/read_through.ts";
import { SharedWork } from "../cache/fetch/shared_work.ts";
import { Offline } from "./fs/offline.ts";
import type { Volume } from "./fs/volume.ts";
import { READ_BYTES_MAX } from "./fuse/handshake.ts";
import type { OpenCache } from "../cache/open_cache.ts";

/** A request goes on this long after its last caller was interrupted and left. */
const LINGER_MS = 5_000;
/** Reads of one local backend that wait for the disk at once; each holds a thread and a buffer. */
const DISK_READS_MAX = 32;
const DISK_READS_QUEUED_MAX = 4_096;

/** What of a backend's settings its volume needs. */
type VolumeSettings = Pick<BackendSettings, "name" | "mountPath" | "timeoutMs">;
/** What of an opened backend its volume needs. */
type VolumeBackend = Pick<OpenedBackend, "backend" | "limit" | "files">;

/** What volumes are built with. */
export interface VolumeDeps extends BackendDeps {
  /** Memory of all reads from stores. */
  readonly buffers: FetchBuffers;
  /** Aborts when the mount ends. */
  readonly gone: AbortSignal;
}

/** The volumes of a mount with what watches over them. */
export interface OpenVolumes extends AsyncDisposable {
  readonly volumes: readonly Volume[];
  readonly health: ReadonlyMap<string, BackendHealth>;
  /** When the credential that each backend uses now ends; null: never, or unknown. */
  readonly credentials: ReadonlyMap<string, () => number | null>;
}

/**
 * Opens every backend, read through `cache` where there is one, which also serves while a store is
 * silent; asks no store for anything.
 */
export async function openVolumes(
  backends: readonly BackendSettings[],
  cache: Pick<OpenCache, "cache" | "names" | "offlineTtlMs"> | null,
  deps: VolumeDeps,
): Promise<OpenVolumes> {
  const opened = await Promise.all(
    backends.map(async (settings) => ({ settings, backend: await openBackend(settings, deps) })),
  );
  return {
    volumes: opened.map(({ settings, backend }) => ({
      ...volumeOf(settings, backend, cache?.cache ?? null, deps),
      offline: cache === null || backend.files !== null
        ? null
        : new Offline({ ...cache, ...deps, backend: settings.name, signal: deps.gone }),
    })),
    health: new Map(opened.map(({ settings, backend }) => [settings.name, backend.health])),
    credentials: new Map(
      opened.map(({ settings, backend }) => [settings.name, backend.credentialExpiresMs]),
    ),
    async [Symbol.asyncDispose]() {
      for (const { backend } of opened) await backend.backend[Symbol.asyncDispose]();
    },
  };
}

/** One volume over an opened backend. */
export function volumeOf(
  settings: VolumeSettings,
  opened: VolumeBackend,
  cache: BlockCache | null,
  deps: Pick<VolumeDeps, "clock" | "libc" | "buffers">,
): Volume {
  const { backend, files } = opened;
  return {
    name: settings.name,
    mountPath: settings.mountPath,
    backend,
    files,
    objects: objectsOf(settings, opened, cache, deps),
    statuses: new SharedWork<Entry | null>(deps.clock, LINGER_MS),
    offline: null,
  };
}

function objectsOf(
  { name, timeoutMs }: VolumeSettings,
  { backend, limit, files }: VolumeBackend,
  cache: BlockCache | null,
  { clock, libc, buffers }: Pick<VolumeDeps, "clock" | "libc" | "buffers">,
): ObjectSource {
  // A local file is read in place: a copy of it on another local disk would gain nothing.
  if (files === null && cache !== null) return cache.source(backend, limit);
  if (files === null) {
    const fetchesMax = Infinity;
    return new ReadThrough(new FetchScheduler({ backend, buffers, limit, fetchesMax }), clock);
  }
  return new LocalObjects({
    backend: name,
    files,
    libc,
    clock,
    timeoutMs,
    // Each backend has buffers of its own, so that a disk that hangs takes none from another.
    buffers: new BufferPool(
      `disk reads of ${name}`,
      READ_BYTES_MAX,
      DISK_READS_MAX,
      DISK_READS_QUEUED_MAX,
    ),
    scratch: new Uint8Array(READ_BYTES_MAX),
  });
}
