/**
 * The life of a mount in one process: wire everything, mount, serve, stop.
 *
 *     prepare ──▶ attach ──▶ handshake ──▶ serve ──▶ ready ──▶ stop requested ──▶ unmounted
 *                                            └── unmounted by someone else ────────▲
 */
import { statfs } from "node:fs/promises";
import { Registry } from "prom-client";
import type { CacheHealth } from "../cache/cache_health.ts";
import { type OpenCache, openCache } from "../cache/open_cache.ts";
import { FetchBuffers } from "../cache/fetch_buffers.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError, type ExitCode } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import { within } from "../cache/platform/within.ts";
import { COMMIT, VERSION } from "../cache/platform/version.ts";
import type { PlannedObjects } from "../cache/planned_objects.ts";
import { sampleProcess } from "../cache/process_metrics.ts";
import { createTelemetry, type Telemetry } from "../cache/telemetry.ts";
import { type AdminSources, serveAdmin } from "./admin.ts";
import { backingFiles, mayPassThrough } from "./backing.ts";
import { type Machine, thisMachine } from "./check/machine.ts";
import type { MountConfig } from "./config.ts";
import type { ControlSources } from "./control/routes.ts";
import { openControlSockets, serveControl } from "./control/serve_control.ts";
import { FileSystem } from "./fs/filesystem.ts";
import { Listings } from "./fs/listings.ts";
import { attach, type Attachment, detach } from "./fuse/attach.ts";
import { Device } from "./fuse/device.ts";
import { type KernelFeatures, READ_BYTES_MAX } from "./fuse/handshake.ts";
import { isBeingKilled } from "./fuse/killed.ts";
import { Session } from "./fuse/session.ts";
import { backendCheck, cacheCheck, type Check, HealthMonitor, mountCheck } from "./health.ts";
import { prepareMountPoint, setReadAhead, stackDepthOf } from "./mount_point.ts";
import { buildNamespace } from "./namespace.ts";
import { notifySettings, ServiceNotifier } from "./notify.ts";
import { Plans } from "./plans.ts";
import { probeVolumes } from "./probe.ts";
import { stopMount } from "./stop.ts";
import { type OpenVolumes, openVolumes } from "./volumes.ts";

/** The next four files of a directory that is read in order, four blocks of each. */
const DIRECTORY_AHEAD = { files: 4, blocksPerFile: 4 };
/** Longest wait for one health check. */
const CHECK_TIMEOUT_MS = 5_000;
/** Longest wait for the mount to show its root. */
const READY_TIMEOUT_MS = 30_000;

/** A mount being served. */
interface Served {
  readonly attachment: Attachment;
  readonly device: Device;
  readonly features: KernelFeatures;
  readonly fileSystem: FileSystem;
  readonly session: Session;
  /** Why the session ended, once it has. */
  readonly ended: Promise<string>;
}

/** What serving needs besides the configuration. */
interface Surroundings {
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

/** What metrics ask about a mount, from before it is there. */
class MountProbes {
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

/** Mounts as `wanted` says and serves until stopped or unmounted; returns the exit code. */
export async function serveMount(
  wanted: MountConfig,
  context: CommandContext,
  stopTimeoutMs: number,
): Promise<ExitCode> {
  const { logger, clock, random } = context;
  const machine = thisMachine(context.env);
  const libc = Libc.open();
  // The mount table knows it by the path without links.
  const config = { ...wanted, mountPoint: await machine.realPath(wanted.mountPoint) };
  const gone = new AbortController();
  // A working directory inside the mount would make the daemon wait for itself.
  Deno.chdir("/");
  libc.raiseOpenFileLimit();
  await prepareMountPoint(config.mountPoint, machine, libc, clock, logger);

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
  // With a configuration file, a store may be down for the moment; a URL names the one that counts.
  const whenSilent = config.origin === "file" ? "warn" : "refuse";
  await probeVolumes(open.volumes, whenSilent, clock, logger, context.signal);
  const monitors = createMonitors(config, open, cache?.health ?? null, context);
  // Listening comes before mounting: an address in use leaves nothing mounted.
  await using _admin = listen(config, { registry, ...monitors }, context);
  using sockets = openControlSockets(config.control, libc, logger);
  const socket = sockets?.path("user") ?? null;
  const listings = createListings(config, telemetry, context, gone.signal);
  await using plans = createPlans(config, open, cache?.cache ?? null, listings, libc, context);
  const surroundings = { context, libc, machine, telemetry, open, listings, plans, socket };
  const served = await start(config, surroundings);
  probes.fileSystem = served.fileSystem;
  probes.session = served.session;
  const background = new TaskGroup((error) => logger.error("Lose a background task", { error }));
  try {
    const sources = controlSources(config, cache, surroundings, served);
    await using _control = serveControl(sockets, sources, libc, context);
    return await stopMount({
      mountPoint: config.mountPoint,
      ended: served.ended,
      detach: (lazy) => detach(libc, config.mountPoint, served.attachment.by, lazy),
      notifier: await announce(config, served, surroundings, monitors.liveness, background),
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

/** What the control sockets tell and steer. */
function controlSources(
  config: MountConfig,
  cache: OpenCache | null,
  { context: { clock }, libc, open: { health }, plans }: Surroundings,
  { features, fileSystem }: Served,
): ControlSources {
  const machine = { uid: libc.effectiveUid(), pid: Deno.pid, kernelRelease: Deno.osRelease() };
  const status = { config, clock, ...machine, features, fileSystem, cache, health };
  return { status, plans, clock };
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

/** Mounts, shakes hands and begins to serve. */
async function start(config: MountConfig, around: Surroundings): Promise<Served> {
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
    const ended = session.serve(fileSystem);
    return { attachment, device, features, fileSystem, session, ended };
  } catch (error) {
    device.close();
    await detach(libc, config.mountPoint, attachment.by, true);
    throw error;
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

/** Says that the mount is there, once it is listable, and keeps the service manager informed. */
async function announce(
  config: MountConfig,
  { features }: Served,
  { context, libc, machine }: Surroundings,
  liveness: HealthMonitor,
  background: TaskGroup,
): Promise<ServiceNotifier | null> {
  const { logger, clock, env } = context;
  await setReadAhead(config.mountPoint, config.fuse.readAheadBytes, machine, logger);
  await listable(config.mountPoint, clock);
  const names = config.backends.map(({ name }) => name);
  logger.info("Ready", {
    event: "ready",
    mount_point: config.mountPoint,
    backends: names,
    passthrough: features.passthrough,
    protocol: `7.${features.minor}`,
    pid: Deno.pid,
  });
  const settings = notifySettings(env, Deno.pid);
  if (settings === null) return null;
  const notifier = new ServiceNotifier(
    (message) => libc.sendDatagram(settings.socket, new TextEncoder().encode(message)),
    logger,
  );
  notifier.ready(`Serving ${names.length} backends at ${config.mountPoint}`);
  if (settings.heartbeatMs !== null) {
    const alive = async (signal: AbortSignal) => (await liveness.report(signal)).status === "ok";
    const heartbeat = { intervalMs: settings.heartbeatMs, clock, alive };
    background.add(notifier.beat(heartbeat, context.signal));
  }
  return notifier;
}

/** The first answer of the mount has gone through the kernel and the whole loop. */
async function listable(mountPoint: string, clock: CommandContext["clock"]): Promise<void> {
  await within(Deno.stat(mountPoint), READY_TIMEOUT_MS, clock, () =>
    new CommandError(
      "failed",
      `Cannot list "${mountPoint}" after mounting: no answer within 30s`,
      "Run it again with --debug to see what it waits for",
    ));
}

function createMonitors(
  config: MountConfig,
  open: OpenVolumes,
  cache: CacheHealth | null,
  context: CommandContext,
): Pick<AdminSources, "health" | "liveness"> {
  const alive = new Map([["mount", mountCheck(config.mountPoint, statfs)]]);
  const all = checks(config, open, cache, context);
  return {
    liveness: new HealthMonitor(alive, CHECK_TIMEOUT_MS, context.clock),
    health: new HealthMonitor(all, CHECK_TIMEOUT_MS, context.clock),
  };
}

function checks(
  config: MountConfig,
  open: OpenVolumes,
  cache: CacheHealth | null,
  { clock }: CommandContext,
): ReadonlyMap<string, Check> {
  return new Map<string, Check>([
    ["mount", mountCheck(config.mountPoint, statfs)],
    ...(cache === null ? [] : [["cache", cacheCheck(cache, clock)] as const]),
    ...[...open.health].map(([name, health]): [string, Check] => [
      `backend ${name}`,
      backendCheck(health, clock),
    ]),
  ]);
}

/** Linux 6.9 to 6.12 never drop a listing they cached. */
export function keepsListings(kernelRelease: string): boolean {
  const [major = 0, minor = 0] = kernelRelease.split(".").map((part) => Number.parseInt(part, 10));
  return !(major === 6 && minor >= 9 && minor <= 12);
}
