/** What `deno task test` runs: named suites, each with its files and with what it needs. */
import { join } from "node:path";
import type { Need } from "./needs.ts";
import { REPOSITORY } from "./source_tree.ts";

/** One command of a suite, counted as one check unless it reports its own tests. */
export interface Step {
  readonly title: string;
  /** Arguments of the running Deno. */
  readonly args: readonly string[];
  /** Whether the tests stand on its result and are not run when it failed. */
  readonly required: boolean;
}

/** A part of the tests that can be run alone. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  /** Whether the test file at `path` belongs here; the first suite that says so has it. */
  readonly owns: (path: string) => boolean;
  readonly needs: readonly Need[];
  /** Run before the tests. */
  readonly steps: readonly Step[];
  /** Flags of `deno test`. */
  readonly flags: readonly string[];
  /** Environment of the tests. */
  readonly variables: Readonly<Record<string, string>>;
  /** Longest time for the tests, or for one step; a hung test must not hang the build. */
  readonly stepMsMax: number;
}

/** Folder of tests that run in the long suite only. */
const LONG_ONLY = "tests/long/";
const STEP_MS_MAX = 10 * 60_000;
/** Real mounts one after the other take longest; twice what they take on a busy machine. */
const MOUNT_MS_MAX = 25 * 60_000;

/** A few seconds, so that each suite can be run alone. */
const BUILD: Step = {
  title: "build",
  args: ["run", "-A", "infra/tools/build.ts"],
  required: true,
};
/** Has `tests/cli/run_program.ts` run what was built instead of the sources. */
const BUILT = { WARPDRIVE_BIN: join(REPOSITORY, "dist", "warpdrive") };

/** All suites, in the order they run: quick and local first. */
export const SUITES: readonly Suite[] = [
  {
    name: "gate",
    title: "format, lint with the layer rules, types, unit tests",
    owns: (path) =>
      !path.startsWith("tests/") || path.startsWith("tests/soak/") ||
      ["tests/tidy_test.ts", "tests/cache_model_test.ts"].includes(path),
    needs: [],
    steps: [
      { title: "format", args: ["fmt", "--check", "--quiet"], required: false },
      { title: "lint", args: ["lint", "--quiet"], required: false },
      { title: "types", args: ["check", "--quiet", "."], required: false },
    ],
    flags: ["--parallel"],
    variables: {},
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "s3",
    title: "S3 on a real server, built by Go, and mounted",
    owns: (path) => /^tests\/(.*_)?s3(_.*)?_test\.ts$/.test(path),
    needs: ["go", "fuse"],
    steps: [],
    flags: [],
    variables: {},
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "gcs",
    title: "Cloud Storage on a real server, built by Go, and mounted",
    owns: (path) => /^tests\/(.*_)?gcs(_.*)?_test\.ts$/.test(path),
    needs: ["go", "fuse"],
    steps: [],
    flags: [],
    variables: {},
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "conformance",
    title: "the backend contract on every provider, with real servers on loopback",
    owns: (path) => /^tests\/(.*_)?(conformance|azurite|azure|backend)(_.*)?_test\.ts$/.test(path),
    needs: [],
    steps: [],
    flags: [],
    variables: {},
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "binary",
    title: "the compiled program",
    owns: (path) => /^tests\/(.*_)?(build|binary|cli)(_.*)?_test\.ts$/.test(path),
    needs: [],
    steps: [BUILD],
    flags: [],
    variables: BUILT,
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "systemd",
    title: "the unit under a real systemd, with the compiled program",
    owns: (path) => /^tests\/systemd_.*_test\.ts$/.test(path),
    needs: ["fuse", "systemd"],
    steps: [BUILD],
    flags: [],
    variables: BUILT,
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "slurm",
    title: "prolog and epilog under a real Slurm, with the compiled program",
    owns: (path) => /^tests\/slurm(_.*)?_test\.ts$/.test(path),
    needs: ["fuse", "systemd", "slurm"],
    steps: [BUILD],
    flags: [],
    variables: BUILT,
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "ansible",
    title: "the role over SSH, on a booted system without WarpDrive",
    owns: (path) => /^tests\/ansible(_.*)?_test\.ts$/.test(path),
    needs: ["fuse", "systemd", "ansible"],
    steps: [BUILD],
    // ansible-lint beside the node.
    flags: ["--parallel"],
    variables: BUILT,
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "scripts",
    title: "the shell scripts of infra, with a stand-in for the cloud",
    owns: (path) => /^tests\/scripts(_.*)?_test\.ts$/.test(path),
    needs: ["shellcheck", "systemd"],
    steps: [BUILD],
    flags: [],
    variables: BUILT,
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "webgpu",
    title: "the trainer's model through WebGPU",
    owns: (path) => /^tests\/(.*_)?webgpu(_.*)?_test\.ts$/.test(path),
    needs: ["webgpu"],
    steps: [],
    flags: [],
    variables: {},
    stepMsMax: STEP_MS_MAX,
  },
  {
    name: "mount",
    title: "real mounts through the kernel",
    owns: (path) => !path.startsWith(LONG_ONLY),
    needs: ["fuse"],
    steps: [BUILD],
    flags: [],
    variables: BUILT,
    stepMsMax: MOUNT_MS_MAX,
  },
];

const LONG_TESTS = [
  "cache_crash",
  "cache_model",
  "cache_start",
  "ctl_cycles",
  "mount_model",
];

/** What takes too long for every change: the same tests with more runs, and a soak. */
export const LONG_SUITE: Suite = {
  name: "long",
  title: "many crashes, many random runs, a million blocks, a soak",
  owns: (path) =>
    path.startsWith(LONG_ONLY) || LONG_TESTS.some((name) => path === `tests/${name}_test.ts`),
  needs: ["fuse", "go", "systemd", "ansible"],
  steps: [
    BUILD,
    {
      title: "soak",
      args: ["run", "-A", "tests/soak.ts", "--minutes", "15"],
      required: false,
    },
  ],
  flags: [],
  variables: {
    WARPDRIVE_CRASH_RUNS: "200",
    WARPDRIVE_MODEL_RUNS: "500",
    WARPDRIVE_MOUNT_MODEL_RUNS: "40",
    WARPDRIVE_START_BLOCKS: "1000000",
    WARPDRIVE_WARM_EVICT_CYCLES: "1000",
  },
  stepMsMax: 3 * 3_600_000,
};

/** The suite that runs the test file at `path`; the long one only where no other does. */
export function suiteOf(path: string): Suite | undefined {
  return [...SUITES, LONG_SUITE].find((suite) => suite.owns(path));
}

/** The test files among `files` that `suite` runs. */
export function testFilesOf(suite: Suite, files: readonly string[]): string[] {
  const owns = (path: string) => suite === LONG_SUITE ? suite.owns(path) : suiteOf(path) === suite;
  return files.filter((path) => path.endsWith("_test.ts") && owns(path));
}
