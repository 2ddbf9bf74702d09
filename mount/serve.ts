/**
 * The life of a mount in one process: wire everything, mount, serve, stop.
 *
 *     prepare ──▶ attach ──▶ handshake ──▶ serve ──▶ ready ──▶ stop requested ──▶ unmounted
 *                                            └── unmounted by someone else ────────▲
 */
import { Registry } from "prom-client";
import { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { type OpenCache, openCache } from "../cache/open_cache.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import type { ExitCode } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import { COMMIT, VERSION } from "../cache/platform/version.ts";
import type { PlannedObjects } from "../cache/plan/planned_objects.ts";
import { createTelemetry, type Telemetry } from "../cache/metrics/telemetry.ts";
import { type AdminSources, serveAdmin } from "./admin.ts";
import { announce } from "./announce.ts";
import { type Machine, thisMachine } from "./check/machine.ts";
import type { MountConfig } from "./config.ts";
import { openControlSockets, serveControl } from "./control/serve_control.ts";
import { controlSources, mountTeams } from "./control_sources.ts";
import { Listings } from "./fs/listings.ts";
import { detach } from "./fuse/attach.ts";
import { READ_BYTES_MAX } from "./fuse/handshake.ts";
import { createMonitors } from "./monitors.ts";
import { prepareMountPoint } from "./mount_point.ts";
import { MountProbes } from "./mount_probes.ts";
import { buildNamespace } from "./namespace.ts";
import { Plans } from "./plans.ts";
import { probeVolumes } from "./probe.ts";
import { serveKernel } from "./serve_kernel.ts";
import { stopMount } from "./stop.ts";
import { type OpenVolumes, openVolumes } from "./volumes.ts";
import { WarmJobs } from "./warm/warm_jobs.ts";

/** Mounts as `wanted` says and serves until stopped or unmounted; returns the exit code. */
export async function serveMount(
  wanted: MountConfig,
  context: CommandContext,
  stopTimeoutMs: number,
): Promise<ExitCode> {
  const { logger, clock, random } = context;
  const machine = thisMachine(context.env);
  const libc = Libc.open();
  const config = await prepare(wanted, machine, libc, context);
  const gone = new AbortController();

  const registry = new Registry();
  const buffers = new FetchBuffers(config.memoryBytes);
  const probes = new MountProbes(buffers);
  const telemetry = createTelemetry(registry, { version: VERSION, commit: COMMIT }, probes);
  const shared = { libc, clock, logger, buffers };
  await using cache = config.cache === null ? null : await openCache(config.cache, {
    ...shared,
    metrics: telemetry.cache,
    mountPoint: config.mountPoint,
    readBytesMax: READ_BYTES_MAX,
  });
  probes.cache = cache?.health ?? null;
  await using open = await openVolumes(config.backends, cache, {
    ...shared,
    random,
    metrics: telemetry.backend,
    hedges: buffers,
    gone: gone.signal,
  });
  probes.open = open;
  await probe(config, open, context);
  const monitors = createMonitors(config, open, cache?.health ?? null, context);
  // Listening comes before mounting: an address in use leaves nothing mounted.
  await using _admin = listen(config, { registry, ...monitors }, context);
  using sockets = openControlSockets(config.control, libc, logger);
  const socket = sockets?.path("user") ?? null;
  const listings = createListings(config, telemetry, context, gone.signal);
  await using plans = createPlans(config, open, cache?.cache ?? null, listings, libc, context);
  await using warm = createWarmJobs(config, open, cache, listings, libc, context);
  const teams = mountTeams(config, libc, logger);
  const surroundings = { context, libc, machine, telemetry, open, listings, plans, socket };
  const served = await serveKernel(config, surroundings);
  probes.fileSystem = served.fileSystem;
  probes.session = served.session;
  const background = new TaskGroup((error) => logger.error("Lose a background task", { error }));
  const watch = { liveness: monitors.liveness, background, gone: gone.signal };
  try {
    const sources = controlSources(config, { ...surroundings, cache, warm, teams }, served);
    await using _control = serveControl(sockets, sources, libc, context);
    return await stopMount({
      mountPoint: config.mountPoint,
      ended: served.ended,
      detach: (lazy) => detach(libc, config.mountPoint, served.attachment.by, lazy),
      mountedHere: served.mountedHere,
      openFiles: () => served.fileSystem.openFiles,
      notifier: await announce(config, served, surroundings, watch),
      context,
      timeoutMs: stopTimeoutMs,
    });
  } catch (error) {
    await detach(libc, config.mountPoint, served.attachment.by, true);
    throw error;
  } finally {
    gone.abort();
    served.fileSystem.close();
    served.device.close();
    await background.settled();
  }
}

/** Makes the process and the mount point ready; returns the configuration with its real path. */
async function prepare(
  wanted: MountConfig,
  machine: Machine,
  libc: Libc,
  { clock, logger }: CommandContext,
): Promise<MountConfig> {
  // The mount table knows it by the path without links.
  const mountPoint = await machine.realPath(wanted.mountPoint);
  // A working directory inside the mount would make the daemon wait for itself.
  Deno.chdir("/");
  libc.raiseOpenFileLimit();
  await prepareMountPoint(mountPoint, machine, libc, clock, logger);
  return { ...wanted, mountPoint };
}

/** Asks every store once, before anything is mounted. */
async function probe(
  { origin }: MountConfig,
  { volumes }: OpenVolumes,
  { clock, logger, signal }: CommandContext,
): Promise<void> {
  // With a configuration file, a store may be down for the moment; a URL names the one that counts.
  const whenSilent = origin === "file" ? "warn" : "refuse";
  await probeVolumes(volumes, whenSilent, clock, logger, signal);
}

/** Serves metrics and health, if they are wanted. */
function listen(
  { metrics, origin }: MountConfig,
  sources: AdminSources,
  { clock, logger }: CommandContext,
): AsyncDisposable | null {
  if (!metrics.enabled) return null;
  try {
    return serveAdmin(metrics, sources, clock, logger);
  } catch (error) {
    // An address nobody asked for, taken by another mount of the same user, is no reason to fail.
    if (origin === "file") throw error;
    logger.warn("Mount without metrics and health", { error });
    return null;
  }
}

/** Listings that all parts of the mount share. */
function createListings(
  config: MountConfig,
  telemetry: Telemetry,
  { clock, logger }: CommandContext,
  signal: AbortSignal,
): Listings {
  return new Listings({
    clock,
    staleTtlMs: config.staleTtlMs,
    entriesMax: config.listingEntriesMax,
    onUnlistable: (volume, directory, keys) => {
      telemetry.namespace.unlistable(volume, keys);
      logger.warn("Leave out keys that a file system cannot show", { volume, directory, keys });
    },
    signal,
  });
}

function createPlans(
  { mountPoint, owner, allowOther }: MountConfig,
  { volumes }: OpenVolumes,
  cache: PlannedObjects | null,
  listings: Listings,
  libc: Libc,
  { clock, logger }: CommandContext,
): Plans {
  return new Plans({
    tree: { mountPoint, space: buildNamespace(volumes) },
    readability: { defaults: owner, allowOther, mountUid: libc.effectiveUid() },
    cache,
    volumes: new Map(volumes.map((volume) => [volume.name, volume])),
    listings,
    clock,
    logger,
  });
}

function createWarmJobs(
  { mountPoint, owner, allowOther }: MountConfig,
  { volumes }: OpenVolumes,
  cache: OpenCache | null,
  listings: Listings,
  libc: Libc,
  { clock, logger }: CommandContext,
): WarmJobs {
  return new WarmJobs({
    mountPoint,
    space: buildNamespace(volumes),
    readability: { defaults: owner, allowOther, mountUid: libc.effectiveUid() },
    begin: cache === null ? null : () => cache.cache.operations.warm(),
    listings,
    clock,
    logger,
  });
}
