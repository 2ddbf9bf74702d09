/**
 * What the cache is measured with: each function builds one experiment. A cold read is of a blob
 * that nobody read before: its name holds the round.
 */
import { BARE, CACHE, KEEPING, LATENCY_IOPS } from "./cache_targets.ts";
import { Buffer } from "node:buffer";
import type { CacheMount, CacheSetup } from "./cache_mount.ts";
import type { CostBook } from "./cost_book.ts";
import type { Contender, Experiment } from "./experiment.ts";
import type { FetchLoad } from "./fetch_loop.ts";
import { runFetchLoop } from "./fetch_loop_command.ts";
import { type Load, runLoad } from "./fio.ts";
import type { RunningOrigin } from "./origin_process.ts";
import { dealt, namesIn, readAll, shuffled } from "./readers.ts";
import type { Clock } from "../cache/platform/clock.ts";

const MIB = 1024 * 1024;
/** Ranges of the bare loops, as large as the blocks of the cache. */
const BLOCK_BYTES = 4 * MIB;
/** What the cache fetches for the smallest read. */
const CHUNK_BYTES = 128 * 1024;

/** Page cache of a cold read over its bytes: the mount's and the data file's, and some to spare. */
const NEW_MEMORY = 2.5;

/** An origin and a mount of it. */
export interface Side {
  readonly origin: RunningOrigin;
  readonly mount: CacheMount;
}

/** What all experiments share. */
export interface CacheBench {
  readonly costs: CostBook;
  readonly clock: Clock;
  /** Command line that starts WarpDrive, without the subcommand. */
  readonly program: readonly string[];
  /** Mounts `origin` with an empty cache. */
  mount(origin: RunningOrigin, setup: CacheSetup): Promise<CacheMount>;
  /** A number no cold read has had yet. */
  fresh(): number;
  /** Directory for files of a pass, on the disk of the caches. */
  readonly scratch: string;
  /** Makes so much free memory resident, see `resident_memory.ts`. */
  makeResident(bytes: number): Promise<void>;
}

/** The bare loop over a blob that nobody else reads. */
export function bareLoop(
  { costs, fresh }: CacheBench,
  id: string,
  origin: RunningOrigin,
  shape: Omit<FetchLoad, "url" | "keptIn">,
): Contender {
  return {
    name: BARE,
    async measure(signal) {
      const url = `${origin.container}/bare-${fresh()}.${shape.sizeBytes}`;
      const result = await runFetchLoop({ ...shape, url, keptIn: null }, signal);
      const { bytes, requests, seconds, cpuSeconds } = result;
      costs.note(id, BARE, { bytes, cpuSeconds, peakMib: null, originBytes: bytes });
      return shape.pattern === "sequential" ? bytes / seconds / 1e9 : requests / seconds;
    },
  };
}

/** The same with a file to write to, like the cache's. */
function keepingLoop(
  { costs, fresh, scratch, makeResident }: CacheBench,
  id: string,
  origin: RunningOrigin,
  shape: Omit<FetchLoad, "url" | "keptIn">,
): Contender {
  return {
    name: KEEPING,
    async measure(signal) {
      const url = `${origin.container}/kept-${fresh()}.${shape.sizeBytes}`;
      const keptIn = `${scratch}/kept`;
      await makeResident(NEW_MEMORY * shape.sizeBytes);
      const { bytes, seconds, cpuSeconds } = await runFetchLoop({ ...shape, url, keptIn }, signal);
      await Deno.remove(keptIn);
      costs.note(id, KEEPING, { bytes, cpuSeconds, peakMib: null, originBytes: bytes });
      return bytes / seconds / 1e9;
    },
  };
}

/** Notes what the mount and its origin did while `run` read so many bytes. */
export async function counted<T extends { readonly bytes: number }>(
  { costs }: CacheBench,
  id: string,
  { mount, origin }: Side,
  run: () => Promise<T>,
): Promise<T> {
  mount.forgetPeak();
  const cpuBefore = mount.cpuSeconds();
  const before = await origin.counts();
  const result = await run();
  costs.note(id, CACHE, {
    bytes: result.bytes,
    cpuSeconds: mount.cpuSeconds() - cpuBefore,
    peakMib: mount.peakMemoryMib(),
    originBytes: (await origin.counts()).bytes - before.bytes,
  });
  return result;
}

/** One reader from the beginning to the end of a file that is not in the cache. */
export function coldSequential(
  bench: CacheBench,
  side: Side,
  { id, origin, bytes, streams, memory }: {
    readonly id: string;
    /** Whether the memory that a pass takes is made resident before it. */
    readonly memory: "resident" | "as it is";
    /** In words. */
    readonly origin: string;
    readonly bytes: number;
    readonly streams: number;
  },
): Experiment {
  const loop = {
    sizeBytes: bytes,
    streams,
    requestBytes: BLOCK_BYTES,
    pattern: "sequential",
  } as const;
  return {
    id,
    title: `Cold, sequential, 1 reader, ${bytes / MIB} MiB, ${origin}, memory ${memory}`,
    unit: "GB/s",
    contenders: [
      bareLoop(bench, id, side.origin, loop),
      ...(memory === "resident" ? [keepingLoop(bench, id, side.origin, loop)] : []),
      {
        name: CACHE,
        async measure(signal) {
          const file = `${side.mount.path}/cold-${bench.fresh()}.${bytes}`;
          if (memory === "resident") await bench.makeResident(NEW_MEMORY * bytes);
          const { seconds } = await counted(
            bench,
            id,
            side,
            () => readAll([[file]], bench.clock, signal),
          );
          return bytes / seconds / 1e9;
        },
      },
    ],
  };
}

/** The first epoch over a data set: 8 workers, each with every 8th shard. */
export function firstEpoch(
  bench: CacheBench,
  side: Side,
  shape: { readonly shards: number; readonly shardBytes: number; readonly origin: string },
): Experiment {
  const id = "cold-epoch";
  const { shards, shardBytes } = shape;
  return {
    id,
    title: `First epoch, 8 readers, ${shards} shards of ${shardBytes / MIB} MiB, ${shape.origin}`,
    unit: "GB/s",
    contenders: [
      bareLoop(bench, id, side.origin, {
        sizeBytes: shards * shardBytes,
        streams: 16,
        requestBytes: BLOCK_BYTES,
        pattern: "sequential",
      }),
      {
        name: CACHE,
        async measure(signal) {
          const directory = `${side.mount.path}/epoch-${bench.fresh()}.${shards}x${shardBytes}`;
          const lists = dealt(await namesIn(directory), 8);
          await bench.makeResident(NEW_MEMORY * shards * shardBytes);
          const { bytes, seconds } = await counted(
            bench,
            id,
            side,
            () => readAll(lists, bench.clock, signal),
          );
          return bytes / seconds / 1e9;
        },
      },
    ],
  };
}

/** Small reads all over a file that is not in the cache: each costs one request. */
export function coldRandom(
  bench: CacheBench,
  side: Side,
  { seconds, origin }: { readonly seconds: number; readonly origin: string },
): Experiment {
  const id = "cold-random";
  // So large that hardly two reads meet in one chunk.
  const bytes = 64 * 1024 * MIB;
  return {
    id,
    title: `Cold, random 4 KiB, 16 jobs, O_DIRECT, ${origin}`,
    unit: "IOPS",
    contenders: [
      bareLoop(bench, id, side.origin, {
        sizeBytes: bytes,
        streams: 16,
        requestBytes: 4096,
        pattern: { randomSeconds: seconds },
      }),
      {
        name: CACHE,
        async measure(signal) {
          const load: Load = {
            pattern: "randread",
            on: { file: `${side.mount.path}/random-${bench.fresh()}.${bytes}` },
            requestBytes: 4096,
            jobs: 16,
            cache: "direct",
            length: { seconds },
            fileBytes: bytes,
          };
          await bench.makeResident(NEW_MEMORY * seconds * LATENCY_IOPS * CHUNK_BYTES);
          const { requestsPerSecond } = await counted(bench, id, side, async () => {
            const result = await runLoad(load, signal);
            return { ...result, bytes: result.requests * 4096 };
          });
          return requestsPerSecond;
        },
      },
    ],
  };
}

/** Many processes read one file that is not in the cache: how often its bytes are fetched. */
export function oneDownload(bench: CacheBench, side: Side, bytes: number): Experiment {
  return {
    id: "one-download",
    title: `64 processes read one cold file of ${bytes / MIB} MiB: bytes fetched over its size`,
    unit: "ratio",
    contenders: [{
      name: CACHE,
      async measure(signal) {
        const file = `${side.mount.path}/shared-${bench.fresh()}.${bytes}`;
        const before = await side.origin.counts();
        await readAll(Array.from({ length: 64 }, () => [file]), bench.clock, signal);
        return ((await side.origin.counts()).bytes - before.bytes) / bytes;
      },
    }],
  };
}

/**
 * The second epoch of 8 workers over shuffled shards, of which half fit the cache. They read with
 * O_DIRECT, or the page cache of this machine would hold the other half.
 */
export function secondEpoch(
  bench: CacheBench,
  origin: RunningOrigin,
  shape: { readonly shards: number; readonly shardBytes: number; readonly memoryBytes: number },
): Experiment {
  const { shards, shardBytes, memoryBytes } = shape;
  const bytes = shards * shardBytes;
  const measure = async (signal: AbortSignal) => {
    const setup = { sizeBytesMax: bytes / 2, memoryBytes, passthrough: true };
    await using mount = await bench.mount(origin, setup);
    const round = bench.fresh();
    const files = await namesIn(`${mount.path}/shuffled-${round}.${shards}x${shardBytes}`);
    let fetched = 0;
    for (const epoch of [1, 2]) {
      const order = shuffled(files, `${round} ${epoch}`);
      const lists = dealt(order, 8);
      const before = await origin.counts();
      await readAll(lists, bench.clock, signal, "direct");
      fetched = (await origin.counts()).bytes - before.bytes;
    }
    return 1 - fetched / bytes;
  };
  return {
    id: "second-epoch",
    title: `8 processes, shuffled shards, the cache half the data: hit rate of epoch 2 by bytes`,
    unit: "ratio",
    contenders: [{ name: CACHE, measure }],
  };
}

/** 64 readers of a file each, all of it cold: the most memory the daemon needs, over its budget. */
export function memoryOverBudget(
  bench: CacheBench,
  origin: RunningOrigin,
  { memoryBytes, fileBytes }: { readonly memoryBytes: number; readonly fileBytes: number },
): Experiment {
  const budgetMib = memoryBytes / MIB;
  return {
    id: `memory-${budgetMib}`,
    title: `64 readers, ${
      fileBytes / MIB
    } MiB each, cold: memory over a budget of ${budgetMib} MiB`,
    unit: "MiB",
    contenders: [{
      name: CACHE,
      async measure(signal) {
        const setup = { sizeBytesMax: 128 * 64 * MIB, memoryBytes, passthrough: true };
        await using mount = await bench.mount(origin, setup);
        const files = await namesIn(`${mount.path}/many-${bench.fresh()}.64x${fileBytes}`);
        await readAll(files.map((file) => [file]), bench.clock, signal);
        return mount.peakMemoryMib() - budgetMib;
      },
    }],
  };
}

/**
 * Reads a file through the mount and past it.
 *
 * @throws when the bytes differ: nothing else that was measured would mean anything.
 */
export async function checkBytes(bench: CacheBench, { mount, origin }: Side): Promise<void> {
  const name = `check-${bench.fresh()}.${3 * BLOCK_BYTES + 4097}`;
  const mounted = await Deno.readFile(`${mount.path}/${name}`);
  const wanted = await (await fetch(`${origin.container}/${name}`)).bytes();
  if (Buffer.compare(mounted, wanted) !== 0) {
    throw new Error(`Compare "${name}": the mount shows other bytes than the origin has`);
  }
}
