/** The benchmark of the mount, as far as it can be checked without believing its numbers. */
import { deepEqual, equal, match } from "node:assert/strict";
import { z } from "zod";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { installed } from "./support/command.ts";

const Findings = z.object({
  rounds: z.number(),
  outcomes: z.array(z.object({
    id: z.string(),
    scores: z.array(z.object({ name: z.string(), values: z.array(z.number().positive()) })),
  })),
  memory: z.array(z.object({ name: z.string(), peakMib: z.number().positive() })),
  targets: z.array(z.object({ verdict: z.enum(["reached", "missed", "not measured"]) })),
});

/** Where the tests are all that is run, a machine without fio is a failure. */
const WITH_FIO = { ignore: !installed("fio") && Deno.env.get("CI") !== "true" };

async function bench(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "bench/mount_bench.ts", ...args],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test(
  "the benchmark measures what it was asked for, and leaves nothing",
  WITH_FIO,
  async () => {
    await withDirectory(async (directory) => {
      await Deno.mkdir(`${directory}/samples`);
      const json = `${directory}/findings.json`;
      const { output } = await bench([
        ...["--quick", "--only", "find-cold,find-warm", "--rclone", ""],
        ...["--dir", `${directory}/samples`, "--json", json],
      ]);
      match(output, /find over 2000 files, again/);
      const findings = Findings.parse(JSON.parse(await Deno.readTextFile(json)));
      deepEqual(findings.outcomes.map(({ id }) => id), ["find-cold", "find-warm"]);
      for (const { scores } of findings.outcomes) {
        deepEqual(scores.map(({ name }) => name), ["raw file", "warpdrive"]);
        for (const { values } of scores) equal(values.length, findings.rounds);
      }
      equal(findings.memory.length, 2);
      deepEqual([...Deno.readDirSync(`${directory}/samples`)], []);
      equal(Deno.readTextFileSync("/proc/self/mounts").includes(directory), false);
    });
  },
);

Deno.test("the benchmark says what it needs when fio is missing", async () => {
  const { code, output } = await bench(["--quick"], { PATH: "/nowhere" });
  equal(code, 1);
  match(output, /fio is not installed.*\nHint: Install the package fio/);
});

Deno.test("the benchmark refuses options that it does not know", async () => {
  const { code, output } = await bench(["--quik"]);
  equal(code, 2);
  match(output, /--quick/);
});

Deno.test("the read benchmark is measured against fio, on the same files", WITH_FIO, async () => {
  const { output } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "bench/reads_bench.ts", "--rounds", "1", "--seconds", "0.1"],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output().then(({ stdout }) => ({ output: new TextDecoder().decode(stdout) }));
  for (
    const workload of [
      "sequential, 4 MiB at once",
      "random, 4 MiB at once",
      "shuffled-shards, 4 MiB at once",
      "random, 4 KiB at once",
    ]
  ) {
    match(output, new RegExp(`${workload}[^]*fio +\\d+[^]*warpdrive bench +\\d+[^]*of fio`));
    match(output, new RegExp(`(pass|FAIL) {2}${workload}: .* of fio, wanted 0\\.9`));
  }
});
