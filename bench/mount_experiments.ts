/** What the mount is measured with: each function builds one experiment over the same files. */
import type { Clock } from "../cache/platform/clock.ts";
import type { Contender, Experiment } from "./experiment.ts";
import { timeFind } from "./find.ts";
import { type Load, runLoad } from "./fio.ts";
import type { Mount } from "./mounts.ts";
import { BIG, type SampleShape, SHARDS, TREE, warmUp } from "./sample_files.ts";
import { RAW } from "./targets.ts";

const MIB = 1024 * 1024;

/** A directory that shows the sample files, and its name in the tables. */
export interface View {
  readonly name: string;
  readonly path: string;
}

/** What all experiments share. */
export interface Bench {
  readonly raw: View;
  readonly shape: SampleShape;
  /** Length of a time-based pass. */
  readonly seconds: number;
  readonly clock: Clock;
}

function sequential(bench: Bench, view: View, how: Pick<Load, "cache" | "length">): Contender {
  return {
    name: view.name,
    async measure(signal) {
      const load: Load = {
        ...how,
        pattern: "read",
        on: { file: `${view.path}/${BIG}` },
        requestBytes: MIB,
        jobs: 1,
        fileBytes: bench.shape.bigBytes,
      };
      return (await runLoad(load, signal)).bytesPerSecond / 1e9;
    },
  };
}

/** (a) One reader, page cache hot: what the mount adds to a read that needs no disk. */
export function passthroughOne(bench: Bench, view: View): Experiment {
  const how: Pick<Load, "cache" | "length"> = { cache: "hot", length: { seconds: bench.seconds } };
  return {
    id: "passthrough-1",
    title: "Passthrough, sequential 1 MiB, 1 reader, page cache hot",
    unit: "GB/s",
    contenders: [sequential(bench, bench.raw, how), sequential(bench, view, how)],
  };
}

/** (a) Many readers, a file each, page cache hot. */
export function passthroughMany(bench: Bench, view: View): Experiment {
  const { shape, seconds } = bench;
  const contender = ({ name, path }: View): Contender => ({
    name,
    async measure(signal) {
      const load: Load = {
        pattern: "read",
        on: { directory: `${path}/${SHARDS}` },
        requestBytes: MIB,
        jobs: shape.shards,
        cache: "hot",
        length: { seconds },
        fileBytes: shape.shardBytes,
      };
      return (await runLoad(load, signal)).bytesPerSecond / 1e9;
    },
  });
  return {
    id: "passthrough-32",
    title: `Passthrough, sequential 1 MiB, ${shape.shards} readers, page cache hot`,
    unit: "GB/s",
    contenders: [contender(bench.raw), contender(view)],
  };
}

/** (b) Past the mount's page cache: what the daemon can move. The raw file is read from memory. */
export function servedDirect(bench: Bench, mounts: readonly View[]): Experiment {
  const length = { seconds: bench.seconds };
  return {
    id: "served-direct",
    title: "Daemon-served, sequential 1 MiB with O_DIRECT, raw file hot",
    unit: "GB/s",
    contenders: [
      sequential(bench, bench.raw, { cache: "hot", length }),
      ...mounts.map((view) => sequential(bench, view, { cache: "direct", length })),
    ],
  };
}

/** (b) Into an empty page cache of the mount, while the file below it stays in memory. */
export function servedBuffered(bench: Bench, mounts: readonly View[]): Experiment {
  return {
    id: "served-buffered",
    title: "Daemon-served, sequential 1 MiB buffered, the mount's pages dropped, raw file hot",
    unit: "GB/s",
    contenders: [
      sequential(bench, bench.raw, { cache: "hot", length: { seconds: bench.seconds } }),
      ...mounts.map((view) => sequential(bench, view, { cache: "dropped", length: "once" })),
    ],
  };
}

/** (b) The same with nothing in memory at all: every byte comes from the disk. */
export function servedCold(
  bench: Bench,
  mounts: readonly View[],
  dropCaches: () => Promise<void>,
): Experiment {
  const cold = (view: View): Contender => {
    const { name, measure } = sequential(bench, view, { cache: "hot", length: "once" });
    return {
      name,
      async measure(signal) {
        await dropCaches();
        return await measure(signal);
      },
    };
  };
  return {
    id: "served-cold",
    title: "Daemon-served, sequential 1 MiB buffered, all page caches dropped",
    unit: "GB/s",
    contenders: [bench.raw, ...mounts].map(cold),
  };
}

/** (c) Small random reads of many jobs past the mount's page cache. */
export function random(bench: Bench, mounts: readonly View[]): Experiment {
  const contender = ({ name, path }: View): Contender => ({
    name,
    async measure(signal) {
      const load: Load = {
        pattern: "randread",
        on: { file: `${path}/${BIG}` },
        requestBytes: 4096,
        jobs: 16,
        cache: "direct",
        length: { seconds: bench.seconds },
        fileBytes: bench.shape.bigBytes,
      };
      return (await runLoad(load, signal)).requestsPerSecond;
    },
  });
  return {
    id: "random",
    title: "Daemon-served, random 4 KiB, 16 jobs, O_DIRECT (raw: the disk; mounts: hot below)",
    unit: "IOPS",
    contenders: [bench.raw, ...mounts].map(contender),
  };
}

/** (d) The first find after mounting; the directories below are hot. */
export function findCold(
  bench: Bench,
  mounts: readonly { readonly name: string; readonly mount: () => Promise<Mount> }[],
): Experiment {
  return {
    id: "find-cold",
    title: `find over ${files(bench.shape)} files, fresh mount`,
    unit: "s",
    contenders: [
      findRaw(bench),
      ...mounts.map(({ name, mount }): Contender => ({
        name,
        async measure(signal) {
          await using served = await mount();
          return await timeFind(
            `${served.path}/${TREE}`,
            files(bench.shape),
            bench.clock,
            signal,
          );
        },
      })),
    ],
  };
}

/** (d) A later find on the same mount. */
export function findWarm(bench: Bench, mounts: readonly View[]): Experiment {
  return {
    id: "find-warm",
    title: `find over ${files(bench.shape)} files, again`,
    unit: "s",
    contenders: [
      findRaw(bench),
      ...mounts.map(({ name, path }): Contender => ({
        name,
        async measure(signal) {
          const tree = `${path}/${TREE}`;
          await timeFind(tree, files(bench.shape), bench.clock, signal);
          return await timeFind(tree, files(bench.shape), bench.clock, signal);
        },
      })),
    ],
  };
}

function findRaw(bench: Bench): Contender {
  const tree = `${bench.raw.path}/${TREE}`;
  return {
    name: RAW,
    measure: (signal) => timeFind(tree, files(bench.shape), bench.clock, signal),
  };
}

function files({ directories, filesPerDirectory }: SampleShape): number {
  return directories * filesPerDirectory;
}

/** Reads everything of `bench` that has to be in memory. */
export async function heat({ raw, shape }: Bench, signal: AbortSignal): Promise<void> {
  await warmUp(`${raw.path}/${BIG}`, signal);
  for (let index = 0; index < shape.shards; index += 1) {
    await warmUp(`${raw.path}/${SHARDS}/shard-${index}`, signal);
  }
}
