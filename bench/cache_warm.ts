/** What the cache is measured with when all is in it: its files against its own data files. */
import type { CacheBench, Side } from "./cache_experiments.ts";
import { CACHE } from "./cache_targets.ts";
import type { Contender, Experiment } from "./experiment.ts";
import { type Load, runLoad } from "./fio.ts";
import { dealt, namesIn, readAll } from "./readers.ts";
import { warmUp } from "./sample_files.ts";
import { RAW } from "./targets.ts";

const MIB = 1024 * 1024;

/** Files that are in the cache, and their data files, under the same names. */
export interface WarmFiles {
  /** Directory of links `shard-0`, `shard-1`, … to the files of the mount, and of the cache. */
  readonly mounted: string;
  readonly raw: string;
  readonly files: number;
  readonly fileBytes: number;
}

/** Reads every file of `directory` of the mount once, and makes them known as {@link WarmFiles}. */
export async function warmFiles(
  bench: CacheBench,
  { mount }: Pick<Side, "mount">,
  place: string,
  { files, fileBytes }: { readonly files: number; readonly fileBytes: number },
  signal: AbortSignal,
): Promise<WarmFiles> {
  const names = await namesIn(`${mount.path}/warm-${bench.fresh()}.${files}x${fileBytes}`);
  await readAll(dealt(names, 4), bench.clock, signal);
  const data = await dataFiles(mount.dataPath, fileBytes);
  if (data.length !== files) {
    throw new Error(`Fill the cache: it has ${data.length} data files, wanted ${files}`);
  }
  for (const [directory, targets] of [["mounted", names], ["raw", data]] as const) {
    await Deno.mkdir(`${place}/${directory}`, { recursive: true });
    for (const [index, target] of targets.entries()) {
      await Deno.symlink(target, `${place}/${directory}/shard-${index}`);
    }
  }
  return { mounted: `${place}/mounted`, raw: `${place}/raw`, files, fileBytes };
}

async function dataFiles(directory: string, fileBytes: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { name: bucket } of Deno.readDir(directory)) {
    for await (const { name } of Deno.readDir(`${directory}/${bucket}`)) {
      const path = `${directory}/${bucket}/${name}`;
      if ((await Deno.stat(path)).size === fileBytes) found.push(path);
    }
  }
  return found;
}

/** Files of the cache, again and again, against their data files; both are in memory. */
export function warmSequential(
  warm: WarmFiles,
  { id, title, readers, cache, seconds }: {
    readonly id: string;
    readonly title: string;
    /** Each reads a file of its own. */
    readonly readers: number;
    readonly cache: "direct" | "hot";
    readonly seconds: number;
  },
): Experiment {
  const contender = (name: string, directory: string, own: Load["cache"]): Contender => ({
    name,
    async measure(signal) {
      // Memory that nobody touches may be taken away, and it is not the disk we measure.
      for (let shard = 0; shard < readers; shard += 1) {
        await warmUp(`${warm.raw}/shard-${shard}`, signal);
      }
      const load: Load = {
        pattern: "read",
        on: { directory },
        requestBytes: MIB,
        jobs: readers,
        cache: own,
        length: { seconds },
        fileBytes: warm.fileBytes,
      };
      return (await runLoad(load, signal)).bytesPerSecond / 1e9;
    },
  });
  return {
    id,
    title,
    unit: "GB/s",
    contenders: [contender(RAW, warm.raw, "hot"), contender(CACHE, warm.mounted, cache)],
  };
}
