/** Everything the doctor looks at, in the order of the report. */
import { constants, statfs } from "node:fs/promises";
import type { Backend } from "../../cache/backend/backend.ts";
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import type { CacheSettings } from "../../cache/config/cache_config.ts";
import { missingOn } from "../../cache/disk/disk_floor.ts";
import { diskSpace } from "../../cache/disk/disk_space.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { Environment } from "../../cache/platform/environment.ts";
import { skipped } from "../../cache/platform/finding.ts";
import { type Host, isAccessible } from "../../cache/platform/host.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { allowOther } from "./allow_other.ts";
import { backendAccess } from "./backend_access.ts";
import { cacheDirectory } from "./cache_directory.ts";
import { type CacheLock, cacheLock, lookAtLock } from "./cache_lock.ts";
import { existingDirectory, lookAtPath } from "./cache_place.ts";
import { cacheSpace } from "./cache_space.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";
import { clockSkew } from "./clock_skew.ts";
import { connection } from "./connection.ts";
import { credentialExpiry } from "./credential_expiry.ts";
import { diskSpeed, FULL_TRIAL, GENTLE_TRIAL } from "./disk_speed.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import { endpointOf, usesIdentityService } from "./endpoint.ts";
import { fuseDevice } from "./fuse_device.ts";
import { indexFormat, readHead } from "./index_format.ts";
import { memory } from "./memory.ts";
import { mountState } from "./mount_state.ts";
import { mtu } from "./mtu.ts";
import { nameResolution } from "./name_resolution.ts";
import type { Network } from "./network.ts";
import { openFiles } from "./open_files.ts";
import { Origin } from "./origin.ts";
import { passthrough } from "./passthrough.ts";
import { probePassthrough } from "./passthrough_probe.ts";
import { privilege } from "./privilege.ts";
import { proxy, proxyFor } from "./proxy.ts";
import { sparseFiles } from "./sparse_files.ts";

/** What the checks ask with. */
export interface DoctorDeps {
  readonly host: Host;
  readonly libc: Libc;
  readonly clock: Clock;
  readonly env: Environment;
  /** The network as a backend with these settings of its own goes through it. */
  readonly network: (client: ClientSettings) => Network;
  /** Opens a backend as the mount would. */
  readonly open: (settings: BackendSettings) => Promise<Backend>;
}

/**
 * The checks for a mount by `config`, in rounds; `quick` leaves out what takes long. Those of a
 * round run side by side. The disk comes alone, and the SDKs of stores are loaded last: either
 * would show in what the others measure.
 */
export function allChecks(
  config: DoctorConfig,
  deps: DoctorDeps,
  quick: boolean,
): readonly (readonly Check[])[] {
  const origins = originsOf(config.backends, deps);
  const services = [...new Set(origins.values())];
  return [
    [...machineChecks(config, deps), ...networkChecks(config.backends, services, deps)],
    config.cache === null ? [] : cacheChecks(config.cache, deps, quick),
    config.backends.flatMap((settings) =>
      storeChecks(settings, origins.get(settings) ?? null, deps)
    ),
  ];
}

/** The service of each backend that has one: one for all that go the same way to it. */
function originsOf(
  backends: readonly BackendSettings[],
  { env, network }: DoctorDeps,
): ReadonlyMap<BackendSettings, Origin> {
  const byWay = new Map<string, Origin>();
  return new Map(backends.flatMap((settings): [BackendSettings, Origin][] => {
    const endpoint = endpointOf(settings.source);
    if (endpoint === null) return [];
    const { url, client } = endpoint;
    const way = JSON.stringify([url.origin, client]);
    const origin = byWay.get(way) ??
      new Origin(url, client.proxy ?? proxyFor(url, env), network(client));
    byWay.set(way, origin);
    return [[settings, origin]];
  }));
}

function machineChecks(config: DoctorConfig, { host, libc }: DoctorDeps): readonly Check[] {
  const { cache, backends } = config;
  const keepsFiles = cache !== null || backends.some(({ source }) => source.type === "local");
  const lock = (): CacheLock => cache === null ? { kind: "free" } : lookAtLock(cache.path, libc);
  const needs = { buffersBytes: config.memoryBytes, nodesMax: config.fuse.nodesMax };
  return [
    fuseDevice(host),
    privilege(host),
    allowOther(config.allowOther, host),
    passthrough(config.fuse.passthrough, keepsFiles, host, async () => {
      const below = cache === null ? "/tmp" : await existingDirectory(cache.path, lookAtPath);
      return await probePassthrough(libc, below);
    }),
    openFiles(host),
    memory(needs, host, () => {
      const held = lock();
      return held.kind === "held" ? held.holder?.pid ?? null : null;
    }),
    // Attributes would come from the kernel's memory for a minute after the mount has died.
    mountState(config.mountPoint, host, (path) => statfs(path)),
  ];
}

function cacheChecks(
  { path, sizeBytesMax }: CacheSettings,
  { host, libc, clock }: DoctorDeps,
  quick: boolean,
): readonly Check[] {
  const directory = () => existingDirectory(path, lookAtPath);
  const space = async () => await diskSpace(await directory());
  const index = `${path}/index.sqlite`;
  const speed = diskSpeed({
    directory,
    hasRoom: async (bytes) => missingOn(await space(), { bytes, files: 1 }) === null,
    trial: () => lookAtLock(path, libc).kind === "held" ? GENTLE_TRIAL : FULL_TRIAL,
    libc,
    clock,
  });
  return [
    cacheDirectory(path, {
      host,
      look: lookAtPath,
      writable: (below) => isAccessible(below, constants.W_OK | constants.X_OK),
    }),
    cacheSpace({
      sizeBytesMax,
      space,
      exists: async () => await readHead(index, 1) !== null,
    }),
    sparseFiles(directory, libc.files),
    quick ? leftOut(speed, "--quick") : speed,
    cacheLock(() => lookAtLock(path, libc)),
    indexFormat((bytes) => readHead(index, bytes)),
  ];
}

function networkChecks(
  backends: readonly BackendSettings[],
  origins: readonly Origin[],
  { host, clock, env }: DoctorDeps,
): readonly Check[] {
  if (origins.length === 0) return [];
  const asksIdentity = backends.some(({ source }) => usesIdentityService(source));
  return [
    proxy(origins, asksIdentity, env),
    ...origins.flatMap((origin) => [
      nameResolution(origin, clock),
      connection(origin),
      mtu(origin, host),
      clockSkew(origin),
    ]),
  ];
}

function storeChecks(
  settings: BackendSettings,
  origin: Origin | null,
  { clock, open }: DoctorDeps,
): readonly Check[] {
  const skewMs = async (signal: AbortSignal) => await origin?.skewMs(signal) ?? null;
  const access = backendAccess(settings, { open, clock, skewMs });
  const expiry = credentialExpiry(settings, clock);
  return expiry === null ? [access] : [expiry, access];
}

/** `check`, not made for a reason. */
function leftOut({ name, subject }: Check, reason: string): Check {
  return {
    name,
    subject,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: () => Promise.resolve(skipped(subject, reason)),
  };
}
