/** `warpdrive bench`: how fast a directory reads, as the workers of a training job read it. */
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../cache/platform/cli.ts";
import { CommandError, EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { StatusLine } from "../cache/platform/status_line.ts";
import { formatDuration } from "../cache/platform/units.ts";
import { backendBytes } from "./reading/backend_bytes.ts";
import { findFiles } from "./reading/files.ts";
import { compare, MANIFEST_NAMES } from "./reading/manifest.ts";
import { measure, warmUp } from "./reading/measurement.ts";
import { Readers } from "./reading/readers.ts";
import { benchRecord, benchReport, type BenchResult } from "./reading/report.ts";
import { expectedDigests, findReference, type Reference } from "./reading/reference.ts";
import { type BenchSettings, readBenchSettings } from "./reading/settings.ts";

const EXAMPLES = `
Examples:
  warpdrive bench --dir /wd/train --readers 8 --duration 10s
  warpdrive bench --dir /wd/train --baseline /mnt/nvme/train --pattern shuffled-shards
  warpdrive bench --dir /wd/train --cached --checksum

With --baseline both directories are read in turn, and the ratio of the rounds is printed.
With --checksum and no list each file is compared by the hash or CRC that its store keeps of it.
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
      .option("--checksum", "compare whole files with a list, or what their store knows")
      .option("--manifest <file>", `that list (default ${MANIFEST_NAMES.join(", ")} in --dir)`)
      .option("--json", "print one JSON object")
      .addHelpText("after", EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    return await bench(readBenchSettings(line.options, Deno.cwd()), context);
  },
};

async function bench(settings: BenchSettings, context: CommandContext): Promise<ExitCode> {
  const { clock, signal, stdout, stderr } = context;
  const files = await findFiles(settings.dir, signal);
  const attributes = Libc.open();
  const reference = settings.checksum ? await findReference(settings, files, attributes) : null;
  const baseline = settings.baseline === undefined
    ? null
    : await findFiles(settings.baseline, signal);
  using readers = await Readers.start({
    pattern: settings.pattern,
    readers: settings.readers,
    chunkBytes: settings.chunk,
    direct: settings.direct,
    seed: settings.seed,
    digests: reference?.digests ?? [],
    sets: baseline === null ? [files] : [files, baseline],
  }, clock);
  using line = new StatusLine(stderr);
  const withBaseline = baseline !== null;
  if (settings.warmup > 0) line.show(`Warming up for ${formatDuration(settings.warmup)}`);
  await warmUp(readers, settings.warmup, withBaseline, signal);
  const bytesBefore = settings.cached ? await backendBytes(settings.metrics, signal) : null;
  const measurement = await measure(readers, {
    rounds: settings.rounds,
    durationMs: settings.duration,
    withBaseline,
    onRound(round) {
      const files = `${settings.readers} readers in "${settings.dir}"`;
      line.show(`Round ${round + 1} of ${settings.rounds}: ${files}`);
    },
  }, signal);
  line.hide();
  const { digests } = measurement;
  const verdict = reference === null
    ? null
    : compare(await expectedDigests(reference, digests, attributes, signal), digests);
  const result: BenchResult = {
    settings,
    files: files.length,
    measurement,
    backendBytes: bytesBefore === null
      ? null
      : await backendBytes(settings.metrics, signal) - bytesBefore,
    verdict,
  };
  const lines = settings.json ? [JSON.stringify(benchRecord(result))] : benchReport(result);
  stdout.write(`${lines.join("\n")}\n`);
  refuse(result, reference);
  return EXIT.done;
}

/** Fails when what was promised does not hold. */
function refuse(
  { settings, backendBytes, verdict }: BenchResult,
  reference: Reference | null,
): void {
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
      `Reads of "${settings.dir}" gave other bytes than the ` +
        `${reference?.kind === "store" ? "store knows" : "list says"}: ${verdict.different[0]}`,
      null,
    );
  }
  if (verdict !== null && verdict.matched === 0) {
    throw new CommandError(
      "failed",
      `Cannot vouch for "${settings.dir}": no file with a checksum was read whole`,
      "Measure longer with --duration, or name the right list with --manifest",
    );
  }
}
