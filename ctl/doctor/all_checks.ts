/** Everything the doctor looks at, in the order of the report. */
import { statfs } from "node:fs/promises";
import type { Backend } from "../../cache/backend/backend.ts";
import type { ClientSettings } from "../../cache/backend/http_client.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import {
  cacheDirectoryFacts,
  type CacheDirectoryLook,
  lookAtCacheDirectory,
} from "../../cache/disk/directory_check.ts";
import { type CacheLock, lookAtLock } from "../../cache/disk/lock_check.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import type { Environment } from "../../cache/platform/environment.ts";
import type { Host } from "../../cache/platform/host.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { allowOther } from "./allow_other.ts";
import { backendAccess } from "./backend_access.ts";
import { cacheChecks } from "./cache_checks.ts";
import type { Check } from "./check.ts";
import { clockSkew } from "./clock_skew.ts";
import { connection } from "./connection.ts";
import { credentialExpiry } from "./credential_expiry.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import { endpointOf, usesIdentityService } from "./endpoint.ts";
import { fuseDevice } from "./fuse_device.ts";
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
  const { cache } = config;
  let looked: Promise<CacheDirectoryLook> | null = null;
  const look = (path: string) =>
    looked ??= lookAtCacheDirectory(path, cacheDirectoryFacts(deps.host));
  return [
    [...machineChecks(config, look, deps), ...networkChecks(config.backends, services, deps)],
    cache === null
      ? []
      : cacheChecks(cache, config.mountPoint, () => look(cache.path), deps, quick),
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

function machineChecks(
  config: DoctorConfig,
  look: (cachePath: string) => Promise<CacheDirectoryLook>,
  { host, libc }: DoctorDeps,
): readonly Check[] {
  const { cache, backends } = config;
  const keepsFiles = cache !== null || backends.some(({ source }) => source.type === "local");
  const lock = (): CacheLock => cache === null ? { kind: "free" } : lookAtLock(cache.path, libc);
  const needs = { buffersBytes: config.memoryBytes, nodesMax: config.fuse.nodesMax };
  return [
    fuseDevice(host),
    privilege(host),
    allowOther(config.allowOther, host),
    passthrough(config.fuse.passthrough, keepsFiles, host, async () => {
      if (cache === null) return await probePassthrough(libc, "/tmp");
      const directory = await look(cache.path);
      if (!directory.usable) return { kind: "not_tried" };
      return await probePassthrough(libc, directory.existing);
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
