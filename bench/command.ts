/** `warpdrive bench`: how fast a directory reads, as the workers of a training job read it. */
import { join } from "node:path/posix";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../cache/platform/cli.ts";
import { CommandError, EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { backendBytes } from "./reading/backend_bytes.ts";
import { findFiles } from "./reading/files.ts";
import { compare, type Manifest, MANIFEST_NAMES, parseManifest } from "./reading/manifest.ts";
import { measure } from "./reading/measurement.ts";
import { Readers } from "./reading/readers.ts";
import { benchRecord, benchReport, type BenchResult } from "./reading/report.ts";
import { type BenchSettings, readBenchSettings } from "./reading/settings.ts";

const EXAMPLES = `
Examples:
  warpdrive bench --dir /wd/train --readers 8 --duration 10s
  warpdrive bench --dir /wd/train --baseline /mnt/nvme/train --pattern shuffled-shards
  warpdrive bench --dir /wd/train --cached --checksum

With --baseline both directories are read in turn, and the ratio of the rounds is printed.
Exit code 1: a read failed, --cached saw bytes from a store, or --checksum found other bytes.`;

/** `warpdrive bench`. */
export const benchCommand: Command = {
  async run(args, context) {
    const parser = createParser("bench", context)
      .description("Read a directory with many readers, and say how fast that was.")
      .option("--dir <directory>", "what to read (default /data/training_sets)")
      .option("--readers <n>", "readers at once, a thread each (default 32)")
      .option("--duration <duration>", "how long to measure (default 30s)")
      .option("--chunk <size>", "bytes of one read (default 4MiB)")
      .option("--pattern <name>", "sequential, random or shuffled-shards (default sequential)")
      .option("--seed <n>", "what random orders are drawn from (default 42)")
      .option("--direct", "read past the page cache (O_DIRECT)")
      .option("--warmup <duration>", "read this long before measuring (default 0)")
      .option("--baseline <directory>", "the same workload here, in turn with the other")
      .option("--rounds <n>", "parts the time is cut into (default 5)")
      .option("--cached", "fail when a store delivered a byte meanwhile")
      .option("--metrics <url>", "the mount's metrics (default http://127.0.0.1:9090/metrics)")
      .option("--checksum", "compare whole files with a list of checksums")
      .option("--manifest <file>", `that list (default ${MANIFEST_NAMES.join(", ")} in --dir)`)
      .option("--json", "print one JSON object")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    return await bench(readBenchSettings(line.options, Deno.cwd()), context);
  },
};

async function bench(settings: BenchSettings, context: CommandContext): Promise<ExitCode> {
  const { clock, signal, stdout } = context;
  const manifest = settings.checksum ? readManifest(settings) : null;
  const files = await findFiles(settings.dir, signal);
  const baseline = settings.baseline === undefined
    ? null
    : await findFiles(settings.baseline, signal);
  const bytesBefore = settings.cached ? await backendBytes(settings.metrics, signal) : null;
  using readers = await Readers.start({
    pattern: settings.pattern,
    readers: settings.readers,
    chunkBytes: settings.chunk,
    direct: settings.direct,
    seed: settings.seed,
    digest: manifest?.digest ?? null,
    sets: baseline === null ? [files] : [files, baseline],
  }, clock);
  const measurement = await measure(readers, {
    rounds: settings.rounds,
    durationMs: settings.duration,
    warmupMs: settings.warmup,
    withBaseline: baseline !== null,
  }, signal);
  const result: BenchResult = {
    settings,
    files: files.length,
    measurement,
    backendBytes: bytesBefore === null
      ? null
      : await backendBytes(settings.metrics, signal) - bytesBefore,
    verdict: manifest === null ? null : compare(manifest, measurement.digests),
  };
  const lines = settings.json ? [JSON.stringify(benchRecord(result))] : benchReport(result);
  stdout.write(`${lines.join("\n")}\n`);
  refuse(result);
  return EXIT.done;
}

/** Fails when what was promised does not hold. */
function refuse({ settings, backendBytes, verdict }: BenchResult): void {
  if (backendBytes !== null && backendBytes > 0) {
    throw new CommandError(
      "failed",
      `Reads of "${settings.dir}" were not all cached: ${backendBytes} bytes came from stores`,
      'Warm it first with "warpdrive ctl warm", and see that the cache is large enough',
    );
  }
  if (verdict !== null && verdict.different.length > 0) {
    throw new CommandError(
      "failed",
      `Reads of "${settings.dir}" gave other bytes than the list says: ${verdict.different[0]}`,
      null,
    );
  }
  if (verdict !== null && verdict.matched === 0) {
    throw new CommandError(
      "failed",
      `Cannot vouch for "${settings.dir}": no file of the list was read whole`,
      "Measure longer with --duration, or name the right list with --manifest",
    );
  }
}

function readManifest({ dir, manifest }: BenchSettings): Manifest {
  const candidates = manifest === undefined
    ? MANIFEST_NAMES.map((name) => join(dir, name))
    : [manifest];
  for (const path of candidates) {
    try {
      return parseManifest(path, Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new CommandError(
    "failed",
    `Cannot verify "${dir}": there is no ${candidates.join(", ")}`,
    'Make one with "sha256sum FILE… > SHA256SUMS", or name it with --manifest',
  );
}
