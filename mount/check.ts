/**
 * `warpdrive mount --check`: whether a mount by this configuration would work, and why not.
 *
 * Looks at the machine and asks every backend, but mounts nothing and changes nothing. The
 * judgements are pure functions in `check/`; this file gathers what they judge.
 */
import {
  cacheDirectoryFacts,
  cannotBeLookedAt,
  lookAtCacheDirectory,
  SEE_DIRECTORY,
} from "../cache/disk/directory_check.ts";
import { CACHE_LOCK, checkLock, lookAtLock } from "../cache/disk/lock_check.ts";
import { CACHE_SPACE, checkCacheSpace } from "../cache/disk/space_check.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { EXIT, type ExitCode } from "../cache/platform/exit.ts";
import type { Output } from "../cache/platform/cli.ts";
import { checkBackends, type OpenForCheck } from "./check/backends.ts";
import {
  bad,
  type Finding,
  formatFindings,
  good,
  nothingFailed,
  skipped,
} from "../cache/platform/finding.ts";
import {
  checkAllowOther,
  checkDevice,
  checkOpenFiles,
  checkPassthrough,
  checkPrivilege,
  mayMount,
} from "../cache/platform/kernel.ts";
import type { Libc } from "../cache/platform/libc.ts";
import { within } from "../cache/platform/within.ts";
import type { Machine } from "./check/machine.ts";
import { checkMetrics, checkMountPoint } from "./check/place.ts";
import type { MountConfig } from "./config.ts";
import { lookAtPlace, PLACE_TIMEOUT_MS } from "./mount_point.ts";
import { pathsOverlap } from "./path_overlap.ts";

const VERDICTS = { good: "The mount would work", bad: "The mount would not work" };

/** What a check works with. */
export interface CheckDeps {
  readonly machine: Machine;
  readonly libc: Libc;
  readonly open: OpenForCheck;
  readonly clock: Clock;
}

/** Checks `config`, prints the report on `stdout`, and returns the command's exit code. */
export async function runCheck(
  config: MountConfig,
  deps: CheckDeps,
  stdout: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const findings = await checkMount(config, deps, signal);
  stdout.write(formatFindings(findings, VERDICTS));
  return nothingFailed(findings) ? EXIT.done : EXIT.failed;
}

/** All findings about `config`, the machine's first, then one per backend. */
export async function checkMount(
  config: MountConfig,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const [system, overlaps, backends] = await Promise.all([
    checkMachine(config, deps),
    checkOverlaps(config, deps.machine),
    checkBackends(config.backends, deps.open, deps.clock, signal),
  ]);
  return [...system, ...overlaps, ...backends];
}

async function checkMachine(
  config: MountConfig,
  deps: CheckDeps,
): Promise<readonly Finding[]> {
  const { machine, clock } = deps;
  const [status, limits, fuseConf, device, helper, place, cache] = await Promise.all([
    machine.text("/proc/self/status"),
    machine.text("/proc/self/limits"),
    machine.text("/etc/fuse.conf"),
    machine.device("/dev/fuse"),
    machine.program("fusermount3"),
    lookAtPlace(config.mountPoint, machine, clock),
    checkCache(config, deps),
  ]);
  const privileged = mayMount(status ?? "");
  const keepsFiles = config.cache !== null ||
    config.backends.some(({ source }) => source.type === "local");
  const { enabled, hostname, port } = config.metrics;
  return [
    checkDevice(device, privileged),
    checkPrivilege(privileged, helper),
    checkAllowOther(config.allowOther, privileged, fuseConf),
    checkPassthrough(config.fuse.passthrough, keepsFiles, machine.kernelRelease, privileged),
    checkOpenFiles(limits ?? ""),
    checkMountPoint(config.mountPoint, place, privileged),
    checkMetrics(config.metrics, enabled ? machine.listenFailure(hostname, port) : null),
    ...cache,
  ];
}

async function checkCache(
  { cache, mountPoint }: MountConfig,
  { machine, libc, clock }: CheckDeps,
): Promise<readonly Finding[]> {
  if (cache === null) return [good("cache", "off: reads go to the store")];
  const { path } = cache;
  const unusable = (finding: Finding) => {
    const inside = [CACHE_SPACE, CACHE_LOCK].map((subject) => skipped(subject, SEE_DIRECTORY));
    return [finding, ...inside];
  };
  const look = async () => {
    const directory = await lookAtCacheDirectory(path, cacheDirectoryFacts(machine));
    if (!directory.usable) return unusable(directory.finding);
    const space = await checkCacheSpace(cache, directory.existing);
    // Opens the lock on this very thread, which a disk that does not answer would block: the look
    // at its space has shown that it answers.
    return [directory.finding, space, checkLock(lookAtLock(path, libc), mountPoint)];
  };
  try {
    const late = () => new Error("No answer in time; the file system that it is on hangs");
    return await within(look(), PLACE_TIMEOUT_MS, clock, late);
  } catch (error) {
    return unusable(cannotBeLookedAt(path, error));
  }
}

/** The configuration compares paths as written; links may still lead one into the other. */
async function checkOverlaps(
  config: MountConfig,
  machine: Machine,
): Promise<readonly Finding[]> {
  const mountPoint = await machine.realPath(config.mountPoint);
  const findings: Finding[] = [];
  for (const { name, source } of config.backends) {
    if (source.type !== "local") continue;
    const root = await machine.realPath(source.root);
    if (pathsOverlap(root, mountPoint)) {
      findings.push(bad(
        `root of ${JSON.stringify(name)}`,
        `${JSON.stringify(root)} and the mount point ${
          JSON.stringify(mountPoint)
        } contain each other`,
        "Choose a mount_point beside it",
      ));
    }
  }
  return findings;
}
