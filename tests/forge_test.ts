/** The trainer as a program, over raw files: its promises, its lines, and what it refuses. */
import { deepEqual, equal, match, notDeepEqual, notEqual, ok } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { programCommand } from "./cli/run_program.ts";
import { eventually } from "./support/eventually.ts";
import { forge, forgeRun } from "./support/forge_run.ts";
import { shardName, tarOf, tarShard, writeShards } from "./support/tar_shards.ts";

const SHAPE = { samples: 40, imageBytes: 3_000 };

/** Two roots, even shards in the first and odd ones in the second, four in each. */
let place = "";
let roots: readonly string[] = [];
Deno.test.beforeAll(async () => {
  place = await Deno.makeTempDir({ prefix: "warpdrive-forge-" });
  await writeShards(`${place}/a/train`, [0, 2, 4, 6], SHAPE);
  await writeShards(`${place}/b/train`, [1, 3, 5, 7], SHAPE);
  roots = ["--train-root-a", `${place}/a`, "--train-root-b", `${place}/b`];
});
Deno.test.afterAll(async () => {
  await Deno.remove(place, { recursive: true });
});

/** Runs `body` with an empty directory below the place of the tests. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: place });
  await body(directory);
}

Deno.test("forge gives one order and one series of losses, whatever the workers", async () => {
  // More than two epochs of 320 samples.
  const run = (...args: string[]) =>
    forgeRun(place, ...roots, "--steps", "45", "--batch-size", "16", ...args);
  const one = await run("--num-workers", "1");
  equal(one.losses.length, 45);
  equal(one.samples, 720);
  for (const [workers, readAhead] of [["2", "256MiB"], ["8", "256MiB"], ["8", "1"]] as const) {
    const other = await run("--num-workers", workers, "--read-ahead", readAhead);
    deepEqual(other.losses, one.losses, `${workers} workers`);
    equal(other.order, one.order);
  }
});

Deno.test("forge depends on the seed, and 0 is one", async () => {
  const run = (seed: string) => forgeRun(place, ...roots, "--steps", "5", "--seed", seed);
  const [zero, again, usual] = [await run("0"), await run("0"), await run("42")];
  deepEqual(again, zero);
  notDeepEqual(usual.losses, zero.losses);
  notEqual(usual.order, zero.order);
});

Deno.test("forge keeps its order when the roots lie elsewhere under other names", async () => {
  await inDirectory(async (directory) => {
    // In the order of names, the first root would now be the second.
    await Deno.symlink(`${place}/a`, `${directory}/z`);
    await Deno.symlink(`${place}/b`, `${directory}/y`);
    const there = await forgeRun(
      place,
      ...["--train-root", `${directory}/z`, "--train-root", `${directory}/y`, "--steps", "9"],
    );
    deepEqual(there, await forgeRun(place, ...roots, "--steps", "9"));
  });
});

const FIGURES = String.raw`images_per_sec=\d+\.\d data_ms=\d+\.\d\d compute_ms=\d+\.\d\d`;

Deno.test("forge prints its lines and nothing else, the steps left over included", async () => {
  const { code, stdout, stderr } = await forge(
    place,
    ...["-train-root-a", `${place}/a`, "-train-root-b=" + `${place}/b`],
    ...["-steps", "25", "-batch-size", "8", "-num-workers", "4", "-seed", "7", "-log-every", "10"],
  );
  equal(code, 0, stderr);
  equal(stderr, "");
  const lines = stdout.split("\n");
  equal(lines[0], `root=${place}/a shards=4`);
  equal(lines[1], `root=${place}/b shards=4`);
  for (const [index, step] of [10, 20, 25].entries()) {
    match(lines[index + 2] ?? "", new RegExp(`^step=${step} ${FIGURES} loss=\\d+\\.\\d{4}$`));
  }
  match(
    lines[5] ?? "",
    new RegExp(
      `^done steps=25 samples=200 wall_s=\\d+\\.\\d\\d ${FIGURES} loss=\\d+\\.\\d{4} ` +
        "order=[0-9a-f]{16}$",
    ),
  );
  deepEqual(lines.slice(6), [""]);
});

Deno.test("forge prints with --json one object per line", async () => {
  const { stdout } = await forge(place, ...roots, "--json", "--steps", "5", "--log-every", "2");
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  deepEqual(records.map(({ event, step }) => [event, step]), [
    ["window", 2],
    ["window", 4],
    ["window", 5],
    ["done", undefined],
  ]);
  const figures = ["compute_ms", "data_ms", "images_per_sec", "loss", "samples"];
  deepEqual(
    Object.keys(records[0]).sort(),
    ["compute_ms", "data_ms", "event"].concat(
      ["images_per_sec", "loss", "samples", "step"],
    ),
  );
  for (const record of records) for (const name of figures) ok(record[name] >= 0, name);
});

Deno.test("forge warns of shards that lie in the other root", async () => {
  const { code, stderr } = await forge(
    place,
    ...["--train-root-a", `${place}/b`, "--train-root-b", `${place}/a`, "--steps", "1"],
  );
  equal(code, 0);
  match(stderr, /shard-000001\.tar and 7 more: usually even numbers are in the first root/);
});

Deno.test("forge reads the shipped demo file, which is its default", async () => {
  await inDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/configs`);
    const shipped = await Deno.readTextFile(`${REPOSITORY}/configs/demo.yaml`);
    await Deno.writeTextFile(
      `${directory}/configs/demo.yaml`,
      shipped.replaceAll(
        /\/wd\/datasets-\w+\/train/g,
        (root) => `${place}/${root.includes("cac") ? "a" : "b"}`,
      ),
    );
    const { code, stdout, stderr } = await forge(directory);
    equal(code, 0, stderr);
    const steps = [...stdout.matchAll(/^step=(\d+)/gm)].map(([, step]) => Number(step));
    deepEqual(steps, [50, 100, 150, 200, 250, 300]);
    match(stdout, /^done steps=300 samples=9600 /m);
  });
});

Deno.test("forge refuses a file with unknown keys or wrong values, with their lines", async () => {
  await inDirectory(async (directory) => {
    await Deno.writeTextFile(
      `${directory}/job.yaml`,
      "train_root_a: /data\n\nstep: 300\nbatch_size: 0\nseed: -1\n",
    );
    const { code, stdout, stderr } = await forge(directory, "-config", "job.yaml");
    equal(code, 2);
    equal(stdout, "");
    match(stderr, /job\.yaml:3:1: step: unknown key, did you mean "steps"\?/);
    match(stderr, /job\.yaml:4:1: batch_size: "0": wanted a whole number from 1/);
    match(stderr, /job\.yaml:5:1: seed: "-1": wanted a whole number from 0 to 4294967295/);
  });
});

Deno.test("forge names every root that is missing or has no shards", async () => {
  await inDirectory(async (directory) => {
    const { code, stdout, stderr } = await forge(
      directory,
      ...["--train-root-a", directory, "--train-root-b", `${directory}/none`],
    );
    equal(code, 1);
    equal(stdout, "");
    match(stderr, /holds no file named shard-NNNNNN\.tar; ".*none" cannot be read: .*ENOENT/);
    match(stderr, /^Hint: .*forge dataset make/m);
  });
});

/** The end of a run over one sound shard and one of these bytes; order is that of names. */
async function runOver(damaged: Uint8Array<ArrayBuffer>): Promise<string> {
  let said = "";
  await inDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/${shardName(0)}`, damaged);
    const { code, stdout, stderr } = await forge(
      directory,
      ...["--train-root", directory, "--steps", "1000", "--log-every", "1"],
    );
    equal(code, 1, stderr);
    match(stderr, /^Cannot train from shard ".*shard-000000\.tar": /);
    match(stderr, /^Hint: .*forge dataset check/m);
    ok(!stdout.includes("done"), stdout);
    said = stderr;
  });
  return said;
}

Deno.test("forge ends at a shard that is cut short, and says where", async () => {
  const whole = await tarShard(0, SHAPE);
  // In a body, in a header, between two members, and behind the last one.
  match(
    await runOver(whole.slice(0, 2_000)),
    /"0-000000\.jpg" at byte 0: it is cut short after 1488 of 3000/,
  );
  match(await runOver(whole.slice(0, 3_700)), /cut short at byte 3584, after "0-000000\.jpg"/);
  match(await runOver(whole.slice(0, 4_608)), /cut short: it ends at byte 4608/);
  match(await runOver(whole.slice(0, whole.length - 1_024)), /cut short: it ends at byte/);
  match(await runOver(new Uint8Array(0)), /cut short: it ends at byte 0/);
});

Deno.test("forge ends at a shard that is damaged, and says where", async () => {
  const flipped = await tarShard(0, SHAPE);
  flipped.fill(0x55, 4_608, 4_700);
  match(await runOver(flipped), /damaged .* at byte 4608, after "0-000000\.cls"/);
  const text = new TextEncoder().encode("no archive ".repeat(1_000));
  match(await runOver(new Uint8Array(text)), /damaged .* at its start/);
});

Deno.test("forge ends at a sample without its other half, and at an empty image", async () => {
  const image = new Uint8Array(100).fill(1);
  const cases: readonly (readonly [readonly (readonly [string, Uint8Array | string])[], RegExp])[] =
    [
      [[["a.jpg", image], ["b.cls", "1"]], /member "a\.jpg" at byte 0: its sample has no label/],
      [[["a.jpg", image], ["a.cls", "1"], ["b.cls", "1"]], /member "b\.cls" .* has no image/],
      [[["a.jpg", ""], ["a.cls", "1"]], /member "a\.jpg" at byte 0: the image is empty/],
      [[["a.jpg", image], ["a.cls", "one"]], /member "a\.cls" at byte 1024: .*found "one"/],
      [[["a.jpg", image], ["a.png", image]], /sample "a" has a second image/],
    ];
  for (const [members, message] of cases) match(await runOver(await tarOf(members)), message);
});

Deno.test("forge follows the rule of the first dot, and takes extensions in any case", async () => {
  await inDirectory(async (directory) => {
    const image = new Uint8Array(500).fill(9);
    const members = [["v1.5/a.JPG", image], ["v1.5/a.cls", "3"], ["v1.5/a.seg.png", "no image"]];
    const tar = await tarOf(members.map(([name, body]) => [String(name), body ?? ""] as const));
    await Deno.writeFile(`${directory}/${shardName(0)}`, tar);
    const { samples } = await forgeRun(
      directory,
      ...["--train-root", directory, "--steps", "2", "--batch-size", "1"],
    );
    equal(samples, 2);
  });
});

Deno.test("forge takes labels below 0 for 0, and those above 9 modulo 10", async () => {
  const lossesOf = async (...labels: string[]) => {
    let losses: readonly string[] = [];
    await inDirectory(async (directory) => {
      const members = labels.flatMap((label, sample) => [
        [`${sample}.jpg`, new Uint8Array(300).fill(sample + 1)] as const,
        [`${sample}.cls`, label] as const,
      ]);
      await Deno.writeFile(`${directory}/${shardName(0)}`, await tarOf(members));
      const args = ["--train-root", directory, "--steps", "3", "--batch-size", "3"];
      ({ losses } = await forgeRun(directory, ...args));
    });
    return losses;
  };
  deepEqual(await lossesOf("-4", "10", "27"), await lossesOf("0", "0", "7"));
});

Deno.test("forge stops at SIGINT with exit code 130, and leaves no process", async () => {
  const args = [...roots, "--steps", "100000000", "--log-every", "20", "--json"];
  const child = programCommand(["forge", ...args], place, {}).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGINT");
  await reader.cancel();
  const { code } = await child.status;
  const stderr = await new Response(child.stderr).text();
  equal(code, 130, stderr);
  match(stderr, /Stopped by SIGINT/);
  await eventually("the process is gone", async () => {
    return await Deno.stat(`/proc/${child.pid}`).then(() => false, () => true);
  });
});

Deno.test("forge draws a run, and refuses a picture it cannot draw before the run", async () => {
  await inDirectory(async (directory) => {
    const drawn = await forge(directory, ...roots, "--steps", "30", "--plot", "run.svg");
    equal(drawn.code, 0, drawn.stderr);
    const svg = await Deno.readTextFile(`${directory}/run.svg`);
    match(svg, /^<svg xmlns.*30 steps of 64 images, seed 42.*images per second.*loss.*<\/svg>\n$/s);
    equal([...svg.matchAll(/<polyline points="([^"]+)"/g)].length, 2);
    for (const [, path = ""] of svg.matchAll(/<polyline points="([^"]+)"/g)) {
      equal(path.split(" ").length, 30);
      ok(!path.includes("NaN"), path);
    }
    equal((await forge(directory, ...roots, "--steps", "30", "--plot", "run.png")).code, 0);
    const png = await Deno.readFile(`${directory}/run.png`);
    deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    // IHDR: width and height.
    const view = new DataView(png.buffer);
    deepEqual([view.getUint32(16), view.getUint32(20)], [1_920, 1_200]);
    const refused = await forge(directory, ...roots, "--plot", "none/run.svg");
    equal(refused.code, 2);
    equal(refused.stdout, "");
    match(refused.stderr, /Cannot draw "none\/run\.svg": /);
  });
});
