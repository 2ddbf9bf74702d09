/** Where everything in the demo is, and the configuration that mounts it. */
import type { Clock } from "../../cache/platform/clock.ts";
import { type Counters, countersOf } from "./counters.ts";
import type { MachineIdentity } from "./identity.ts";
import type { Scale } from "./options.ts";
import { CONTAINER, type Region, type RegionPlan } from "./region.ts";
import { parseSamples, type Sample } from "./samples.ts";
import type { Screen } from "./screen.ts";

/** Longest wait for metrics and health. */
const ANSWER_MS_MAX = 10_000;

/** A mount and its surroundings. */
export interface Scene {
  readonly screen: Screen;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly scale: Scale;
  /** Everything that the demo writes is below it. */
  readonly directory: string;
  readonly mountPoint: string;
  readonly cache: string;
  /** Directory of the control sockets. */
  readonly control: string;
  /** Path of the configuration file. */
  readonly config: string;
  /** URL of metrics and health. */
  readonly metrics: string;
  readonly regions: readonly [Region, Region];
  /** SHA-256 of every shard, by its path below the mount point. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Who the mount is, and its environment. */
  readonly identity: MachineIdentity;
  readonly env: Readonly<Record<string, string>>;
  /** Words that take the network away from the command behind them; empty where they cannot. */
  readonly isolation: readonly string[];
}

/** `text` with the directory of the demo as `$DEMO`. */
export function shown({ directory }: Scene, text: string): string {
  return text.replaceAll(directory, "$DEMO");
}

export function plansOf({ regions }: Pick<Scene, "regions">): readonly RegionPlan[] {
  return regions.map(({ plan }) => plan);
}

/** The configuration file of `scene`. It names an identity, and no key. */
export function configText(scene: Scene): string {
  const backends = scene.regions.map(({ plan, account, endpoint }) =>
    `  - name: ${plan.backend}  # ${plan.title}
    type: azureblob
    config:
      account: ${account}
      root: ${CONTAINER}
      endpoint: ${endpoint}
    auth: {method: managed_identity}
`
  );
  return `mount_point: ${scene.mountPoint}
cache: {path: ${scene.cache}, max_size: 4GiB}
metrics: {addr: "${new URL(scene.metrics).host}"}
control: {path: ${scene.control}}
backends:
${backends.join("")}`;
}

/** What `/metrics` says now. */
export async function samplesOf(scene: Scene): Promise<Sample[]> {
  const answer = await fetch(`${scene.metrics}/metrics`, { signal: soon(scene.signal) });
  return parseSamples(await answer.text());
}

/** What the mount has counted up to now. */
export async function countersNow(scene: Scene): Promise<Counters> {
  return countersOf(await samplesOf(scene), plansOf(scene).map(({ backend }) => backend));
}

/** HTTP status of `/healthz`. */
export async function healthOf(scene: Scene): Promise<number> {
  const answer = await fetch(`${scene.metrics}/healthz`, { signal: soon(scene.signal) });
  await answer.body?.cancel();
  return answer.status;
}

/** Everything that came over the links so far. */
export function linkBytesNow({ regions }: Scene): number {
  return regions.reduce((sum, { link }) => sum + link.receivedBytes, 0);
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
}
