/** Flags of `warpdrive bench` → what to measure. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import { CommandError } from "../../cache/platform/exit.ts";
import { SEED_MAX } from "../../cache/platform/random.ts";
import { choice, duration, integer, size, text } from "../../cache/platform/setting.ts";
import { PATTERNS } from "./pattern.ts";

/** O_DIRECT takes whole sectors; none is larger. */
const SECTOR_BYTES = 4_096;
/** Chunks are read into memory, one per reader. */
const CHUNK_BYTES_MAX = 2 ** 30;

/** Flags with a value, with the defaults of the founding documents. */
const VALUES = z.object({
  dir: text("a directory").prefault("/data/training_sets"),
  readers: integer(1, 1_024).prefault("32"),
  duration: duration(100, 'a duration of at least 100ms, such as "30s"').prefault("30s"),
  chunk: size(1, 'a size such as "4MiB"').prefault("4MiB"),
  pattern: choice(PATTERNS).prefault("sequential"),
  baseline: text("a directory").optional(),
  warmup: duration(0).prefault("0"),
  seed: integer(0, SEED_MAX).prefault("42"),
  rounds: integer(1, 1_000).prefault("5"),
  manifest: text("a file with checksums").optional(),
  metrics: text("the URL of a mount's metrics").prefault("http://127.0.0.1:9090/metrics"),
});

/** Flags without a value. */
const SWITCHES = z.object({
  cached: z.boolean().default(false),
  checksum: z.boolean().default(false),
  direct: z.boolean().default(false),
  json: z.boolean().default(false),
});

/** What to measure. Times in milliseconds; paths absolute. */
export type BenchSettings = z.output<typeof VALUES> & z.output<typeof SWITCHES>;

/**
 * Reads the flags of a command line; relative paths are meant below `workingDirectory`.
 *
 * @throws {CommandError} `usage` with everything that is wrong.
 */
export function readBenchSettings(
  options: Readonly<Record<string, unknown>>,
  workingDirectory: string,
): BenchSettings {
  const values = VALUES.safeParse(options);
  const problems = values.error?.issues.map(({ path, message }) => {
    const key = String(path[0]);
    return `--${key} "${String(options[key])}": ${message}`;
  }) ?? [];
  const switches = SWITCHES.parse(options);
  if (values.data !== undefined && values.data.chunk > CHUNK_BYTES_MAX) {
    problems.push(`--chunk "${String(options["chunk"])}": wanted at most 1GiB`);
  }
  if (switches.direct && values.data !== undefined && values.data.chunk % SECTOR_BYTES !== 0) {
    problems.push(`--direct: wanted a chunk of whole sectors, a multiple of ${SECTOR_BYTES} bytes`);
  }
  if (switches.checksum && options["pattern"] === "random") {
    problems.push("--checksum: wanted a pattern that reads whole files, not random");
  }
  if (values.data !== undefined && problems.length === 0) {
    const { dir, baseline, manifest } = values.data;
    const absolute = (path: string | undefined) =>
      path === undefined ? undefined : resolve(workingDirectory, path);
    return {
      ...values.data,
      ...switches,
      dir: resolve(workingDirectory, dir),
      baseline: absolute(baseline),
      manifest: absolute(manifest),
    };
  }
  throw new CommandError(
    "usage",
    `Cannot run "warpdrive bench": ${problems.join("; ")}`,
    'Run "warpdrive bench --help" for its options',
  );
}
