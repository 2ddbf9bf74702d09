/** What a training run is made with: the command line over the file over the defaults. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import {
  configError,
  type ConfigInputs,
  ConfigReader,
} from "../../cache/platform/config_reader.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import {
  choice,
  flag,
  integer,
  list,
  section,
  setting,
  size,
  text,
} from "../../cache/platform/setting.ts";
import { SEED_MAX } from "../../cache/platform/random.ts";

/** The file that is read when none is named, where there is one. */
export const DEFAULT_FILE = "configs/demo.yaml";

const ROOTS_MAX = 64;
const STEPS_MAX = 1_000_000_000;
/** What 0 and less mean as `log_every`, as in files written for the program that came before. */
const LOG_EVERY_OTHERWISE = 50;

/** Where the model's arithmetic is done. */
export const MODELS = ["softmax", "webgpu"] as const;
export type ModelName = (typeof MODELS)[number];

/** Keys of the file, with the defaults of the founding documents. */
export const TRAIN_FILE = section({
  train_root_a: text("a directory").optional(),
  train_root_b: text("a directory").optional(),
  train_roots: list(text("a directory"), ROOTS_MAX).prefault([]),
  steps: integer(1, STEPS_MAX).prefault("2000"),
  batch_size: integer(1, 65_536).prefault("64"),
  num_workers: integer(1, 256).prefault("8"),
  seed: integer(0, SEED_MAX).prefault("42"),
  log_every: logEvery().prefault("100"),
  read_ahead: size(1, 'a size such as "256MiB"').prefault("256MiB"),
  model: choice(MODELS).prefault("softmax"),
  order_plan: flag().prefault("true"),
});

type TrainFile = z.output<typeof TRAIN_FILE>;

/** A training run. */
export interface TrainSettings {
  /** Absolute; at least one. */
  readonly roots: readonly string[];
  readonly steps: number;
  readonly batchSize: number;
  readonly workers: number;
  readonly seed: number;
  readonly logEvery: number;
  readonly readAheadBytes: number;
  readonly model: ModelName;
  /** Tell a WarpDrive mount the order of the shards. */
  readonly orderPlan: boolean;
}

/** Flags of the command line, as written. */
export const TrainFlags = z.object({
  config: z.string().optional(),
  trainRootA: z.string().optional(),
  trainRootB: z.string().optional(),
  trainRoot: z.array(z.string()).default([]),
  steps: z.string().optional(),
  batchSize: z.string().optional(),
  numWorkers: z.string().optional(),
  seed: z.string().optional(),
  logEvery: z.string().optional(),
  readAhead: z.string().optional(),
  model: z.string().optional(),
  orderPlan: z.boolean().optional(),
  json: z.boolean().default(false),
  plot: z.string().optional(),
});
export type TrainFlags = z.infer<typeof TrainFlags>;

/** Where the settings of a run come from. */
export interface SettingsInputs extends ConfigInputs {
  /** Relative directories are meant below it. */
  readonly workingDirectory: string;
  readonly exists: (path: string) => boolean;
}

/**
 * The settings of a run.
 *
 * @throws {CommandError} `usage` with everything that is wrong with the file, or with the flags.
 */
export function readTrainSettings(flags: TrainFlags, inputs: SettingsInputs): TrainSettings {
  const file = readFile(flags, inputs);
  const merged = { ...file, ...readFlags(flags) };
  const roots = rootsOf(flags, file);
  if (roots.length === 0) {
    throw new CommandError(
      "usage",
      'Cannot run "warpdrive forge": no directory with shards is given',
      "Name them with --train-root DIRECTORY, or in a file given with --config",
    );
  }
  if (roots.includes("")) {
    throw new CommandError(
      "usage",
      'Cannot run "warpdrive forge": a directory with shards is given as "", wanted its path',
      "Look at the variables of the command line: one of them may not be set",
    );
  }
  return {
    roots: roots.map((root) => resolve(inputs.workingDirectory, root)),
    steps: merged.steps,
    batchSize: merged.batch_size,
    workers: merged.num_workers,
    seed: merged.seed,
    logEvery: merged.log_every,
    readAheadBytes: merged.read_ahead,
    model: merged.model,
    orderPlan: flags.orderPlan ?? merged.order_plan,
  };
}

/** `--train-root` stands for all roots of the file, `--train-root-a` for the first one. */
function rootsOf(flags: TrainFlags, file: TrainFile): string[] {
  const { trainRootA, trainRootB, trainRoot } = flags;
  const roots = trainRoot.length > 0
    ? [trainRootA, trainRootB, ...trainRoot]
    : [trainRootA ?? file.train_root_a, trainRootB ?? file.train_root_b, ...file.train_roots];
  return roots.filter((root) => root !== undefined);
}

function logEvery() {
  return setting(`a whole number (0 or less: ${LOG_EVERY_OTHERWISE})`, (written) => {
    const value = /^-?\d{1,15}$/.test(written) ? Number(written) : NaN;
    if (value <= 0) return LOG_EVERY_OTHERWISE;
    return value <= STEPS_MAX ? value : null;
  });
}

function readFile(flags: TrainFlags, inputs: SettingsInputs): TrainFile {
  const path = flags.config ?? DEFAULT_FILE;
  const absolute = resolve(inputs.workingDirectory, path);
  if (flags.config === undefined && !inputs.exists(absolute)) return TRAIN_FILE.parse({});
  let text: string;
  try {
    text = inputs.readTextFile(absolute);
  } catch (cause) {
    const hint = "Give the path of a readable file with --config";
    throw new CommandError("usage", `Cannot read configuration "${path}"`, hint, { cause });
  }
  const reader = new ConfigReader(text, inputs);
  if (!reader.readable) reader.report([], "wanted keys and values, such as steps: 300");
  const file = reader.read(TRAIN_FILE, []);
  if (file !== null && reader.problems.length === 0) return file;
  const { message } = configError(path, reader.problems);
  throw new CommandError("usage", message, "Correct the file; docs/forge.md has all its keys");
}

/** The settings that flags give. All that is wrong with them is said at once. */
function readFlags(flags: TrainFlags): Partial<TrainFile> {
  const written = {
    steps: flags.steps,
    batch_size: flags.batchSize,
    num_workers: flags.numWorkers,
    seed: flags.seed,
    log_every: flags.logEvery,
    read_ahead: flags.readAhead,
    model: flags.model,
  };
  const given = Object.fromEntries(
    Object.entries(written).filter(([, value]) => value !== undefined),
  );
  const outcome = TRAIN_FILE.partial().safeParse(given);
  if (outcome.success) {
    return Object.fromEntries(
      Object.keys(given).map((key) => [key, Reflect.get(outcome.data, key)]),
    );
  }
  const problems = outcome.error.issues.map(({ path, message }) => {
    const key = String(path[0]);
    return `--${key.replaceAll("_", "-")} "${Reflect.get(given, key)}": ${message}`;
  });
  throw new CommandError(
    "usage",
    `Cannot run "warpdrive forge": ${problems.join("; ")}`,
    'Run "warpdrive forge --help" for its options',
  );
}
