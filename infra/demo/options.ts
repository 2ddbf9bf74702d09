/** What `deno task demo` is asked for. */
import { parseArgs } from "node:util";
import { CommandError } from "../../cache/platform/exit.ts";
import { parseBytes } from "../../cache/platform/units.ts";
import { type PlotFile, plotFileOf } from "../../forge/plot/plot_file.ts";
import type { Distance } from "./region_link.ts";

/** How much there is to train from. One epoch is `trainShards * imagesPerShard` samples. */
export interface Scale {
  readonly trainShards: number;
  readonly imagesPerShard: number;
  /** Shards of a second data set, in the second region only. */
  readonly validationShards: number;
  readonly batchSize: number;
  readonly logEvery: number;
}

/** What the demo does. */
export type DemoOptions =
  | { readonly kind: "help" }
  | {
    readonly kind: "play";
    readonly scale: Scale;
    /** Leave everything running at the end. */
    readonly keep: boolean;
    /** The picture of both epochs; null: none. */
    readonly plot: PlotFile | null;
    /** Of the first and of the second region. */
    readonly distances: readonly [Distance, Distance];
  };

const FULL: Scale = {
  trainShards: 20,
  imagesPerShard: 480,
  validationShards: 2,
  batchSize: 32,
  logEvery: 50,
};
/** As many shards, so that as much is asked of the stores; a fifth of the bytes. */
const QUICK: Scale = { ...FULL, imagesPerShard: 96, logEvery: 10 };

const LATENCY = "20,45";
/** Together as fast as the run of the founding documents: 1.58 GB in 33 s. */
const BANDWIDTH = "30MiB,15MiB";

/** What `--help` prints. */
export const USAGE =
  `Usage: deno task demo [--quick] [--keep] [--latency MS,MS] [--bandwidth SIZE,SIZE] [--plot FILE]

WarpDrive on this machine, from nothing to two regions in one tree and back to nothing.

  --quick                 a fifth of the images: under a minute
  --keep                  leave it mounted at the end, until Ctrl+C
  --latency MS,MS         round trip to each region (default ${LATENCY})
  --bandwidth SIZE,SIZE   bytes per second from each region (default ${BANDWIDTH})
  --plot FILE             draw both epochs into FILE.svg or FILE.png
  -h, --help              this text

Exit codes: 0 all capabilities shown, 1 something failed, 2 wrong usage, 130 interrupted.`;

/** Steps of one epoch. */
export function stepsOf({ trainShards, imagesPerShard, batchSize }: Scale): number {
  return Math.floor(trainShards * imagesPerShard / batchSize);
}

/**
 * Reads the command line.
 *
 * @throws {CommandError} `usage` when it makes no sense.
 */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { quick, keep, latency, bandwidth, plot, help } = readFlags(args);
  if (help) return { kind: "help" };
  const latencies = pair("--latency", latency, "two round trips in milliseconds, such as 20,45", {
    read: (text) => /^\d{1,4}$/.test(text) ? Number(text) : null,
  });
  const bandwidths = pair("--bandwidth", bandwidth, "two sizes, such as 30MiB,15MiB", {
    read: (text) => {
      const bytes = parseBytes(text);
      return bytes !== null && bytes >= 64 * 1024 ? bytes : null;
    },
  });
  return {
    kind: "play",
    scale: quick ? QUICK : FULL,
    keep,
    plot: plot === undefined ? null : plotFileOf(plot),
    distances: [
      { roundTripMs: latencies[0], bytesPerSecond: bandwidths[0] },
      { roundTripMs: latencies[1], bytesPerSecond: bandwidths[1] },
    ],
  };
}

interface Flags {
  readonly quick: boolean;
  readonly keep: boolean;
  readonly help: boolean;
  readonly latency: string;
  readonly bandwidth: string;
  readonly plot?: string | undefined;
}

function readFlags(args: readonly string[]): Flags {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        latency: { type: "string", default: LATENCY },
        bandwidth: { type: "string", default: BANDWIDTH },
        plot: { type: "string" },
      },
    }).values;
  } catch (cause) {
    const hint = 'Run "deno task demo --help" for its options';
    throw new CommandError("usage", `Cannot run the demo with "${args.join(" ")}"`, hint, {
      cause,
    });
  }
}

function pair(
  flag: string,
  text: string,
  wanted: string,
  { read }: { readonly read: (text: string) => number | null },
): readonly [number, number] {
  const [first, second, ...more] = text.split(",").map((part) => read(part.trim()));
  if (typeof first === "number" && typeof second === "number" && more.length === 0) {
    return [first, second];
  }
  throw new CommandError(
    "usage",
    `Cannot run the demo with ${flag} "${text}": wanted ${wanted}`,
    `Give one value for each region, as in ${flag} ${flag === "--latency" ? LATENCY : BANDWIDTH}`,
  );
}
