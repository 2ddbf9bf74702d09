import assert from "node:assert/strict";
import { CommandError } from "../../cache/platform/exit.ts";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { DEFAULT_FILE, readTrainSettings, type SettingsInputs, TrainFlags } from "./settings.ts";

/** A machine with these files. */
function inputs(files: Readonly<Record<string, string>>): SettingsInputs {
  return {
    env: { get: (name) => name === "DATA" ? "/srv/data" : undefined },
    readTextFile(path) {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound("No such file");
      return text;
    },
    workingDirectory: "/home/me",
    exists: (path) => files[path] !== undefined,
  };
}

function refused(flags: Partial<TrainFlags>, files: Readonly<Record<string, string>>): string {
  try {
    readTrainSettings(TrainFlags.parse(flags), inputs(files));
  } catch (error) {
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, "usage");
    return error.message;
  }
  throw new Error("Nothing was refused");
}

Deno.test("readTrainSettings takes flags before the file before the defaults", () => {
  const file = "train_root_a: a\ntrain_root_b: ${DATA}/b\nsteps: 300\nseed: 7\n";
  const flags = TrainFlags.parse({ steps: "5", trainRootA: "/other" });
  const settings = readTrainSettings(flags, inputs({ "/home/me/configs/demo.yaml": file }));
  assert.deepEqual(settings, {
    roots: ["/other", "/srv/data/b"],
    steps: 5,
    batchSize: 64,
    workers: 8,
    seed: 7,
    logEvery: 100,
    readAheadBytes: 256 * 2 ** 20,
    model: "softmax",
    orderPlan: true,
  });
});

Deno.test("readTrainSettings has the defaults of the founding documents", () => {
  assert.deepEqual(readTrainSettings(TrainFlags.parse({ trainRoot: ["/a"] }), inputs({})), {
    roots: ["/a"],
    steps: 2_000,
    batchSize: 64,
    workers: 8,
    seed: 42,
    logEvery: 100,
    readAheadBytes: 256 * 2 ** 20,
    model: "softmax",
    orderPlan: true,
  });
});

Deno.test("readTrainSettings finds the demo's values in the file that is shipped", () => {
  const file = Deno.readTextFileSync(`${REPOSITORY}/${DEFAULT_FILE}`);
  const flags = TrainFlags.parse({ config: "demo.yaml" });
  const settings = readTrainSettings(flags, inputs({ "/home/me/demo.yaml": file }));
  const { roots, steps, batchSize, workers, seed, logEvery } = settings;
  assert.deepEqual({ roots, steps, batchSize, workers, seed, logEvery }, {
    roots: ["/wd/datasets-cac/train", "/wd/datasets-wus3/train"],
    steps: 300,
    batchSize: 32,
    workers: 8,
    seed: 42,
    logEvery: 50,
  });
});

Deno.test("readTrainSettings takes 0 as a seed, from a flag and from a file", () => {
  const root = { trainRoot: ["data"] };
  const seedOf = (flags: Partial<TrainFlags>, files: Readonly<Record<string, string>>) =>
    readTrainSettings(TrainFlags.parse(flags), inputs(files)).seed;
  assert.equal(seedOf({ ...root, seed: "0" }, {}), 0);
  assert.equal(seedOf({ ...root, config: "x" }, { "/home/me/x": "seed: 0" }), 0);
});

Deno.test("readTrainSettings takes any number of roots, and keeps their order", () => {
  const rootsOf = (flags: Partial<TrainFlags>) =>
    readTrainSettings(TrainFlags.parse(flags), inputs({ "/home/me/x": "train_roots: [p, q]" }))
      .roots;
  assert.deepEqual(rootsOf({ trainRoot: ["/c", "d", "/e"] }), ["/c", "/home/me/d", "/e"]);
  assert.deepEqual(rootsOf({ config: "x" }), ["/home/me/p", "/home/me/q"]);
});

Deno.test("readTrainSettings refuses a root without a name, as of a variable not set", () => {
  for (const flags of [{ trainRoot: ["/a", ""] }, { trainRootA: "" }, { trainRootB: "" }]) {
    assert.match(refused(flags, {}), /a directory with shards is given as "", wanted its path$/);
  }
});

Deno.test("readTrainSettings lets --train-root stand for all roots of the file", () => {
  const file = { "/home/me/x": "train_root_a: /a\ntrain_root_b: /b\ntrain_roots: [/c]\n" };
  const rootsOf = (flags: Partial<TrainFlags>) =>
    readTrainSettings(TrainFlags.parse({ config: "x", ...flags }), inputs(file)).roots;
  assert.deepEqual(rootsOf({ trainRoot: ["/x", "/y"] }), ["/x", "/y"]);
  assert.deepEqual(rootsOf({ trainRoot: ["/x"], trainRootB: "/y" }), ["/y", "/x"]);
  assert.deepEqual(rootsOf({ trainRootB: "/y" }), ["/a", "/y", "/c"]);
});

Deno.test("readTrainSettings takes 50 for a log_every of 0 or less", () => {
  const logEvery = (text: string) =>
    readTrainSettings(
      TrainFlags.parse({ config: "x", trainRoot: ["/a"] }),
      inputs({ "/home/me/x": `log_every: ${text}` }),
    ).logEvery;
  assert.deepEqual(["0", "-3", "1", "7"].map(logEvery), [50, 50, 1, 7]);
  assert.match(
    refused({ trainRoot: ["a"], logEvery: "1.5" }, {}),
    /--log-every "1\.5": wanted a whole number \(0 or less: 50\)/,
  );
});

Deno.test("readTrainSettings says with lines everything that is wrong with a file", () => {
  const message = refused({ config: "x" }, {
    "/home/me/x": "train_root_a: /a\nstep: 3\nbatch_size: many\n",
  });
  assert.match(message, /2 problems\n.*x:2:1: step: unknown key, did you mean "steps"\?\n.*x:3/s);
  assert.match(refused({ config: "x" }, { "/home/me/x": "- 1" }), /wanted keys and values/);
  assert.match(refused({ config: "missing" }, {}), /Cannot read configuration "missing"/);
});

Deno.test("readTrainSettings says everything that is wrong with the flags", () => {
  assert.match(
    refused({ trainRoot: ["a"], steps: "0", seed: "-1" }, {}),
    /--steps "0": wanted a whole number from 1 .*--seed "-1": wanted a whole number from 0/,
  );
  assert.match(refused({}, {}), /no directory with shards is given/);
});
