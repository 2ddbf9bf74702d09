/** `ctl warm` against a bare loop around `fetch`: bringing a data set in before it is read. */
import { z } from "zod";
import { bareLoop, type CacheBench, counted, type Side } from "./cache_experiments.ts";
import { CACHE } from "./cache_targets.ts";
import type { Experiment } from "./experiment.ts";

const MIB = 1024 * 1024;

/** The last thing that a job says. */
const Ended = z.object({
  event: z.literal("ended"),
  state: z.literal("done"),
  bytes_fetched: z.number(),
  seconds: z.number(),
});

/** A data set of shards, by as many workers as the command has by itself. */
export function warming(
  bench: CacheBench,
  side: Side,
  { shards, shardBytes, origin }: {
    readonly shards: number;
    readonly shardBytes: number;
    /** In words. */
    readonly origin: string;
  },
): Experiment {
  const id = "warming";
  const bytes = shards * shardBytes;
  return {
    id,
    title: `ctl warm, ${shards} shards of ${shardBytes / MIB} MiB, ${origin}`,
    unit: "GB/s",
    contenders: [
      bareLoop(bench, id, side.origin, {
        sizeBytes: bytes,
        streams: 16,
        requestBytes: 4 * MIB,
        pattern: "sequential",
      }),
      {
        name: CACHE,
        async measure(signal) {
          const directory = `${side.mount.path}/warmed-${bench.fresh()}.${shards}x${shardBytes}`;
          await bench.makeResident(1.5 * bytes);
          const { seconds } = await counted(bench, id, side, () => warm(bench, directory, signal));
          return bytes / seconds / 1e9;
        },
      },
    ],
  };
}

/** Warms `directory`; the time is the job's own, without that of starting the command. */
async function warm(
  { program }: CacheBench,
  directory: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly seconds: number }> {
  const [command = "", ...first] = program;
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...first, "ctl", "warm", "--json", directory],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Warm "${directory}": ${decoder.decode(stderr).trim()}`);
  const last = decoder.decode(stdout).trimEnd().split("\n").at(-1) ?? "";
  const { bytes_fetched, seconds } = Ended.parse(JSON.parse(last));
  return { bytes: bytes_fetched, seconds };
}
