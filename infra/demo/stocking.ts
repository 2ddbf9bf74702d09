/** Makes the shards of the demo and puts them into the regions; nothing of them stays here. */
import { createHash } from "node:crypto";
import { runWarpdrive } from "./children.ts";
import type { MachineIdentity } from "./identity.ts";
import type { Scale } from "./options.ts";
import type { Region } from "./region.ts";
import type { Screen } from "./screen.ts";

/** What was stored. */
export interface Stock {
  /** SHA-256 of every shard, by its path below the mount point. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Shards and their bytes, by backend and prefix: `datasets-cac/train`. */
  readonly prefixes: ReadonlyMap<string, { readonly shards: number; readonly bytes: number }>;
}

/** Names of the data sets, which are prefixes in the containers. */
export const TRAIN = "train";
export const VALIDATION = "val";
/** As large as photographs of this size are. */
const IMAGES: readonly string[] = ["--image-size", "320", "--image-bytes", "48KiB"];

/** Fills both regions by way of files below `$DEMO/shards`, which is removed again. */
export async function stock(
  screen: Screen,
  [even, odd]: readonly [Region, Region],
  { trainShards, validationShards, imagesPerShard }: Scale,
  identity: MachineIdentity,
  demo: string,
  signal: AbortSignal,
): Promise<Stock> {
  const directory = `${demo}/shards`;
  const checksums = new Map<string, string>();
  const prefixes = new Map<string, { shards: number; bytes: number }>();
  const token = await identity.token(signal);
  const make = async (prefix: string, shards: number, seed: number, places: readonly string[]) => {
    const args = [
      ...["forge", "dataset", "make", "--prefix", prefix, "--seed", `${seed}`, ...IMAGES],
      ...["--shards", `${shards}`, "--samples", `${imagesPerShard}`],
      ...places.flatMap((place) => ["--out", `${directory}/${place}`]),
    ];
    screen.command(`warpdrive ${args.join(" ").replaceAll(demo, "$DEMO")}`);
    await runWarpdrive(args, signal);
  };
  const move = async (place: string, region: Region, prefix: string) => {
    let bytes = 0;
    const from = `${directory}/${place}/${prefix}`;
    const names = Array.from(Deno.readDirSync(from), ({ name }) => name)
      .filter((name) => name.endsWith(".tar")).sort();
    for (const name of names) {
      const contents = await Deno.readFile(`${from}/${name}`);
      await region.put(`${prefix}/${name}`, contents, token, signal);
      const sum = createHash("sha256").update(contents).digest("hex");
      checksums.set(`${region.plan.backend}/${prefix}/${name}`, sum);
      bytes += contents.length;
    }
    prefixes.set(`${region.plan.backend}/${prefix}`, { shards: names.length, bytes });
  };
  await Deno.mkdir(directory);
  try {
    await make(TRAIN, trainShards, 42, ["even", "odd"]);
    await make(VALIDATION, validationShards, 43, ["validation"]);
    await Promise.all([even, odd].map((region) => region.createContainer(token, signal)));
    await move("even", even, TRAIN);
    await move("odd", odd, TRAIN);
    await move("validation", odd, VALIDATION);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return { checksums, prefixes };
}
