/** What metrics ask about a mount, from before it is there. */
import type { CacheHealth } from "../cache/disk/cache_health.ts";
import type { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { sampleProcess } from "../cache/metrics/process_metrics.ts";
import type { FileSystem } from "./fs/filesystem.ts";
import type { Session } from "./fuse/session.ts";
import type { OpenVolumes } from "./volumes.ts";

/** The parts of a mount that metrics ask, as far as they exist. */
export class MountProbes {
  fileSystem: FileSystem | null = null;
  open: OpenVolumes | null = null;
  cache: CacheHealth | null = null;
  session: Session | null = null;

  constructor(readonly buffers: FetchBuffers) {}

  readonly process = sampleProcess;
  readonly cacheBypassed = () => this.cache?.state.kind === "bypassed";
  readonly nodes = () => this.fileSystem?.nodes ?? 0;
  readonly requestsInFlight = () => this.session?.inFlight ?? 0;
  readonly bufferBytes = () => this.buffers.takenBytes;
  readonly degraded = (): ReadonlyMap<string, boolean> =>
    new Map(
      [...this.open?.health ?? []].map(([name, { state }]) =>
        [name, state.state === "degraded"] as const
      ),
    );
}
