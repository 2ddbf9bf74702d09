import { deepEqual, equal, rejects } from "node:assert/strict";
import { systemClock } from "../../cache/platform/clock.ts";
import { WARM_PATHS_PER_CALL } from "../api_warm.ts";
import { callsOf, MountPaths } from "./paths.ts";

const NOWHERE = { attributeLater: () => Promise.resolve(null) };

/** The mount as it says itself is at `said`; this process sees its root at `seen`. */
function mountAt(said: string, seen: string | null): MountPaths {
  const socket = new TextEncoder().encode("/run/warpdrive/m/user.sock");
  const libc = {
    attributeLater: (path: string) => Promise.resolve(path === seen ? socket : null),
  };
  return new MountPaths("/run/warpdrive/m/admin.sock", said, { libc, clock: systemClock });
}

Deno.test("Paths below a mount are taken as they are written", async () => {
  const paths = mountAt("/mnt/data", null);
  equal(await paths.below("/mnt/data/train/*.tar"), "train/*.tar");
  equal(await paths.below("/mnt/data/./train//a"), "train/a");
  equal(await paths.below("/mnt/data"), ".");
});

Deno.test("A mount seen at another place, as in a container, is found by its root", async () => {
  const paths = mountAt("/mnt/data", "/nowhere/data");
  equal(await paths.below("/nowhere/data/train/a"), "train/a");
  equal(await paths.below("/nowhere/data"), ".");
});

Deno.test("Paths are followed through links to the mount", async () => {
  const place = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${place}/mount/train`, { recursive: true });
    await Deno.symlink("mount/train", `${place}/link`);
    const real = await Deno.realPath(place);
    const paths = new MountPaths("/s/admin.sock", `${real}/mount`, {
      libc: NOWHERE,
      clock: systemClock,
    });
    equal(await paths.below(`${place}/link/*.tar`), "train/*.tar");
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});

Deno.test("A path of another mount, or of none, is refused", async () => {
  await rejects(mountAt("/mnt/data", null).below("/mnt/other/a"), /not below the mount at "\/mnt/);
});

Deno.test("A long list is handed over in parts that fit a call", async () => {
  const lengths: (readonly [number, boolean])[] = [];
  async function* paths() {
    for (let index = 0; index < 2 * WARM_PATHS_PER_CALL + 5; index += 1) yield `${index}`;
  }
  for await (const { paths: part, isLast } of callsOf(paths())) lengths.push([part.length, isLast]);
  deepEqual(lengths, [[WARM_PATHS_PER_CALL, false], [WARM_PATHS_PER_CALL, false], [5, true]]);
  const long: number[] = [];
  async function* longPaths() {
    for (let index = 0; index < 1_000; index += 1) yield "x".repeat(4_096);
  }
  for await (const { paths: part } of callsOf(longPaths())) long.push(part.length);
  deepEqual(long, [256, 256, 256, 232]);
});
