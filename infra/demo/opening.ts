/** The first act: two regions with data in them, and one mount over both. */
import { release } from "node:os";
import type { Clock } from "../../cache/platform/clock.ts";
import { installAzurite } from "../../tests/support/azurite.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { createTestAuthority } from "../../tests/support/test_authority.ts";
import { fetchDependencies, plainEnvironment } from "./children.ts";
import { bytesText, countText } from "./figures.ts";
import { MachineIdentity } from "./identity.ts";
import { withoutNetwork } from "./isolation.ts";
import { type MountProcess, startMount } from "./mount_process.ts";
import { type DemoOptions, stepsOf } from "./options.ts";
import { CONTAINER, Region, type RegionPlan } from "./region.ts";
import { configText, type Scene, shown } from "./scene.ts";
import type { Screen } from "./screen.ts";
import { stock } from "./stocking.ts";

type Play = DemoOptions & { readonly kind: "play" };

/** Names of shards shown in a directory. */
const NAMES_MAX = 3;

/** Says what this is and where it runs. */
export function introduce(screen: Screen, { scale }: Play): void {
  const user = Deno.uid() === 0 ? "root" : "an ordinary user";
  screen.say(
    `WarpDrive, shown on this machine: ${navigator.hardwareConcurrency} processors, Linux ` +
      `${release()}, Deno ${Deno.version.deno}, as ${user}. One epoch of training over two ` +
      `regions, cold, then again, warm: ${countText(scale.trainShards)} shards of ` +
      `${scale.imagesPerShard} images, ${stepsOf(scale)} steps of ${scale.batchSize}. ` +
      "Every number below was measured in this run.",
  );
}

/** Builds the regions and fills them; `owned` takes everything away again. */
export async function buildScene(
  screen: Screen,
  options: Play,
  directory: string,
  clock: Clock,
  owned: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Scene> {
  screen.step("Two regions");
  screen.say(
    "Each is Azurite, Microsoft's emulator of Azure Blob Storage, over HTTPS and with Entra " +
      "tokens, behind a relay that adds distance. TLS passes through the relay, which counts " +
      "bytes and knows nothing of WarpDrive.",
  );
  screen.note(
    `DEMO=${directory}; warpdrive is "deno task warpdrive". The first run installs Azurite and ` +
      "what WarpDrive imports.",
  );
  await fetchDependencies(signal);
  await installAzurite(signal);
  const authority = owned.use(await createTestAuthority());
  const identity = owned.use(await MachineIdentity.start(authority));
  const start = async (plan: RegionPlan) => {
    signal.throwIfAborted();
    return owned.use(await Region.start(plan, authority, clock));
  };
  const regions: [Region, Region] = [
    await start(planOf("Canada Central", "CAC", "datasets-cac", options.distances[0])),
    await start(planOf("West US 3", "WUS3", "datasets-wus3", options.distances[1])),
  ];
  const goods = await stock(screen, regions, options.scale, identity, directory, signal);
  screen.show([""]);
  screen.table([
    ["Region", "round trip", "bandwidth", "data set", "shards", "size"],
    ...[...goods.prefixes].map(([path, { shards, bytes }]) => {
      const region = regions.find(({ plan }) => path.startsWith(plan.backend));
      return [...placeRow(region), path, countText(shards), bytesText(bytes)];
    }),
  ]);
  screen.note(
    `Shards with even numbers are in one region, odd ones in the other, in containers named ` +
      `${CONTAINER}. Nothing of them is left on this machine's disk.`,
  );
  return {
    screen,
    clock,
    signal,
    scale: options.scale,
    directory,
    mountPoint: `${directory}/wd`,
    cache: `${directory}/cache`,
    control: `${directory}/control`,
    config: `${directory}/config.yaml`,
    metrics: `http://127.0.0.1:${freePort()}`,
    regions,
    checksums: goods.checksums,
    identity,
    env: { ...plainEnvironment(), ...identity.env, NODE_EXTRA_CA_CERTS: authority.authorityFile },
    isolation: await withoutNetwork(signal),
  };
}

function planOf(
  title: string,
  tag: string,
  backend: string,
  distance: RegionPlan["distance"],
): RegionPlan {
  return { title, tag, backend, distance };
}

function placeRow(region: Region | undefined): readonly string[] {
  if (region === undefined) return ["", "", ""];
  const { title, distance } = region.plan;
  return [title, `${distance.roundTripMs} ms`, `${bytesText(distance.bytesPerSecond)}/s`];
}

/** Mounts both regions as one tree. */
export async function mountScene(scene: Scene): Promise<MountProcess> {
  const { screen, mountPoint, config, signal } = scene;
  screen.step("One tree");
  await Deno.mkdir(mountPoint);
  await Deno.writeTextFile(config, configText(scene));
  screen.show(shown(scene, configText(scene)).trimEnd().split("\n"));
  screen.command("warpdrive mount --config $DEMO/config.yaml");
  return await startMount(config, mountPoint, scene.env, signal);
}

/** Lists what is there. */
export async function showTree({ screen, mountPoint }: Scene): Promise<void> {
  for (const backend of await namesIn(mountPoint)) {
    for (const prefix of await namesIn(`${mountPoint}/${backend}`)) {
      const names = await namesIn(`${mountPoint}/${backend}/${prefix}`);
      const more = names.length > NAMES_MAX ? "  …" : "";
      screen.show([
        `$DEMO/wd/${backend}/${prefix}/   ${names.length} shards`,
        `    ${names.slice(0, NAMES_MAX).join("  ")}${more}`,
      ]);
    }
  }
  screen.note(
    "Plain POSIX paths, for ls, tar, Python and PyTorch alike: no SDK in any program. The mount " +
      "has a managed identity: its tokens come from a metadata endpoint, and there is no key in " +
      "its configuration or environment.",
  );
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
}
