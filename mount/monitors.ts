/** What liveness and health of a mount are made of. */
import { statfs } from "node:fs/promises";
import type { CacheHealth } from "../cache/disk/cache_health.ts";
import type { CommandContext } from "../cache/platform/cli.ts";
import type { AdminSources } from "./admin.ts";
import type { MountConfig } from "./config.ts";
import { backendCheck, cacheCheck, type Check, HealthMonitor, mountCheck } from "./health.ts";
import type { OpenVolumes } from "./volumes.ts";

/** Longest wait for one health check. */
const CHECK_TIMEOUT_MS = 5_000;

/** The monitors behind `/livez` and `/healthz`. */
export function createMonitors(
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
