/** The mount's side towards the kernel: attach, shake hands, serve requests. */
import type { CommandContext } from "../cache/platform/cli.ts";
import type { Libc } from "../cache/platform/libc.ts";
import type { Telemetry } from "../cache/metrics/telemetry.ts";
import { backingFiles, mayPassThrough } from "./backing.ts";
import type { Machine } from "./check/machine.ts";
import type { MountConfig } from "./config.ts";
import { FileSystem } from "./fs/filesystem.ts";
import type { Listings } from "./fs/listings.ts";
import { attach, type Attachment, detach } from "./fuse/attach.ts";
import { Device } from "./fuse/device.ts";
import type { KernelFeatures } from "./fuse/handshake.ts";
import { isBeingKilled } from "./fuse/killed.ts";
import { Session } from "./fuse/session.ts";
import { stackDepthOf } from "./mount_point.ts";
import { type MountedHere, mountedHere } from "./mounted_here.ts";
import { buildNamespace } from "./namespace.ts";
import type { Plans } from "./plans.ts";
import type { OpenVolumes } from "./volumes.ts";

/** The next four files of a directory that is read in order, four blocks of each. */
const DIRECTORY_AHEAD = { files: 4, blocksPerFile: 4 };

/** A mount being served. */
export interface Served {
  readonly attachment: Attachment;
  readonly mountedHere: MountedHere;
  readonly device: Device;
  readonly features: KernelFeatures;
  readonly fileSystem: FileSystem;
  readonly session: Session;
  /** Why the session ended, once it has. */
  readonly ended: Promise<string>;
}

/** What serving needs besides the configuration. */
export interface Surroundings {
  readonly context: CommandContext;
  readonly libc: Libc;
  readonly machine: Machine;
  readonly telemetry: Telemetry;
  readonly open: OpenVolumes;
  readonly listings: Listings;
  readonly plans: Plans;
  /** Path of the user's control socket, if there is one. */
  readonly socket: string | null;
}

/** Mounts, shakes hands and begins to serve. */
export async function serveKernel(config: MountConfig, around: Surroundings): Promise<Served> {
  const { libc, machine, context } = around;
  const roots = config.backends.flatMap(({ source }) =>
    source.type === "local" ? [source.root] : []
  );
  const stackDepth = await stackDepthOf(roots, machine);
  const attachment = await attach(libc, config.mountPoint, config.allowOther);
  const device = new Device(libc, attachment.fd);
  try {
    const session = new Session(device, {
      clock: context.clock,
      logger: context.logger,
      recorder: (operation) => around.telemetry.fuse.recorder(operation),
      isBeingKilled,
      trace: config.fuseDebug,
    });
    const agreed = await session.connect({
      ...config.fuse,
      stackDepth,
      pageBytes: libc.pageBytes(),
    });
    const passthrough = agreed.passthrough && mayPassThrough(device, libc, context.logger);
    const features = { ...agreed, passthrough };
    const fileSystem = createFileSystem(config, around, device, session, features);
    const here = await mountedHere(config.mountPoint, machine);
    const ended = session.serve(fileSystem);
    return { attachment, mountedHere: here, device, features, fileSystem, session, ended };
  } catch (error) {
    device.close();
    await detach(libc, config.mountPoint, attachment.by, true);
    throw error;
  }
}

function createFileSystem(
  config: MountConfig,
  { context, telemetry, open, listings, plans, socket }: Surroundings,
  device: Device,
  session: Session,
  features: KernelFeatures,
): FileSystem {
  const { fuse, owner } = config;
  const { logger, clock } = context;
  return new FileSystem({
    space: buildNamespace(open.volumes),
    listings,
    validity: {
      attributesMs: fuse.attrTimeoutMs,
      entryMs: fuse.entryTimeoutMs,
      negativeMs: fuse.negativeTimeoutMs,
      staleTtlMs: config.staleTtlMs,
    },
    defaults: {
      ...owner,
      directoryModified: { seconds: Math.floor(clock.wallMs() / 1_000), nanoseconds: 0 },
    },
    backing: backingFiles(
      device,
      features.passthrough,
      (sizeBytes) => telemetry.fuse.passthroughOpened(sizeBytes),
      logger,
    ),
    notify: (notification) => session.notify(notification),
    kernelPrunes: features.prune,
    kernelKeepsListings: keepsListings(Deno.osRelease()),
    nodesMax: fuse.nodesMax,
    directoryAhead: DIRECTORY_AHEAD,
    blockBytes: config.cache?.blockBytes ?? 0,
    controlSocket: socket,
    opened: (node, uid) => plans.opened(node, uid),
    logger,
  });
}

/** Linux 6.9 to 6.12 never drop a listing they cached. */
function keepsListings(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split(".").map((part) => Number.parseInt(part, 10));
  return !(major === 6 && minor >= 9 && minor <= 12);
}
