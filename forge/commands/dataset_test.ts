import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CommandError } from "../../cache/platform/exit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { collectedContext } from "../../tests/support/command_context.ts";
import { datasetCommand } from "./dataset.ts";

/** How a command ended, and what it wrote. */
interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function dataset(...args: string[]): Promise<Run> {
  const { context, stdout, stderr } = collectedContext();
  const code = await datasetCommand.run(args, context);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Runs `body` with a directory of its own. */
async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Small, so that tests are quick. */
const SMALL = ["--samples", "5", "--image-size", "16"];

/** Names of the files below `directory` with digests of what they hold. */
async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { name } of Deno.readDir(directory)) {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    found.set(name, createHash("sha256").update(bytes).digest("hex"));
  }
  return new Map([...found].sort());
}

async function refused(args: readonly string[], message: RegExp, hint = /^/): Promise<void> {
  await assert.rejects(dataset(...args), (error: unknown) => {
    assert.ok(error instanceof CommandError, String(error));
    assert.match(describeError(error), message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

Deno.test("dataset make writes the same bytes however many shards it makes at once", async () => {
  await withDirectory(async (directory) => {
    const make = (out: string, parallel: string) =>
      dataset("make", "--out", out, "--shards", "5", ...SMALL, "--parallel", parallel);
    const { code, stdout, stderr } = await make(`${directory}/one`, "1");
    assert.equal(code, 0);
    assert.match(stdout, /^5 shards, 25 samples, \d+(\.\d)? KiB in \S+\n$/);
    assert.match(stderr, /^made 1 of 5 shards, .*\n(.*\n){3}made 5 of 5 shards, .*\n$/);
    await make(`${directory}/many`, "8");
    const one = await contents(`${directory}/one/train`);
    assert.deepEqual(await contents(`${directory}/many/train`), one);
    assert.deepEqual([...one.keys()][4], "shard-000004.tar");
    assert.equal(new Set(one.values()).size, 5);
  });
});

Deno.test("dataset make deals shards out to several places, and check finds all well", async () => {
  await withDirectory(async (directory) => {
    const [even, odd] = [`${directory}/even`, `file://${directory}/odd`];
    await dataset("make", "--out", even, "--out", odd, "--shards", "5", ...SMALL);
    const names = async (
      place: string,
    ) => [...(await contents(`${directory}/${place}/train`)).keys()];
    assert.deepEqual(await names("even"), [0, 2, 4].map((index) => `shard-00000${index}.tar`));
    assert.deepEqual(await names("odd"), [1, 3].map((index) => `shard-00000${index}.tar`));
    const roots = [`${directory}/even`, `${directory}/odd`];
    const { code, stdout } = await dataset("check", ...roots, "--shards", "5", "--samples", "25");
    assert.match(
      stdout,
      /^5 shards, 25 samples, .*, labels \d to \d, images 16x16: no problems\n$/,
    );
    assert.equal(code, 0);
    assert.equal((await dataset("check", `${directory}/even`)).code, 0);
  });
});

Deno.test("dataset make does not touch shards that are there unless it is told to", async () => {
  await withDirectory(async (directory) => {
    const make = (...flags: string[]) => dataset("make", "--out", directory, ...SMALL, ...flags);
    await make("--shards", "3");
    await Deno.writeTextFile(`${directory}/train/notes.txt`, "mine");
    const before = await contents(`${directory}/train`);
    await refused(
      ["make", "--out", directory, ...SMALL, "--seed", "1"],
      /^Cannot write shards to ".*train": it holds "shard-000000\.tar" and 2 more$/,
    );
    assert.deepEqual(await contents(`${directory}/train`), before);
    await make("--shards", "2", "--seed", "1", "--force");
    const after = await contents(`${directory}/train`);
    // Shards of the set before would otherwise be taken for part of this one.
    assert.deepEqual([...after.keys()], ["notes.txt", "shard-000000.tar", "shard-000001.tar"]);
    assert.notEqual(after.get("shard-000000.tar"), before.get("shard-000000.tar"));
  });
});

Deno.test("dataset make tells of a draft left behind, and replaces it by force", async () => {
  await withDirectory(async (directory) => {
    const args = ["make", "--out", directory, "--prefix", "", "--shards", "1", ...SMALL];
    await Deno.writeTextFile(`${directory}/.shard-000000.tar.partial`, "half");
    await refused(args, /another run is writing there, or was killed: it left "\.shard-000000/);
    await dataset(...args, "--force");
    assert.deepEqual([...(await contents(directory)).keys()], ["shard-000000.tar"]);
  });
});

Deno.test("dataset make leaves no draft behind when it is stopped", async () => {
  await withDirectory(async (directory) => {
    const stop = new AbortController();
    const { context, stderr } = collectedContext(stop.signal);
    const stopping = {
      ...context,
      stderr: {
        isTerminal: false,
        write(text: string) {
          context.stderr.write(text);
          stop.abort(new Error("Stopped by SIGINT"));
        },
      },
    };
    const args = ["make", "--out", directory, "--prefix", "", "--shards", "20", "--samples", "200"];
    await assert.rejects(datasetCommand.run(args, stopping), /Stopped by SIGINT/);
    assert.match(stderr(), /^made 2 of 20 shards/);
    const names = [...(await contents(directory)).keys()];
    assert.ok(names.length >= 2 && names.length < 20, String(names));
    assert.ok(names.every((name) => /^shard-\d{6}\.tar$/.test(name)), String(names));
  });
});

Deno.test("dataset make says everything that is wrong with its flags", async () => {
  await refused(
    ["make", "--out", "x", "--shards", "0", "--image-size", "4", "--seed", "-1"],
    /--shards "0": wanted a whole number from 1 .*--image-size "4": wanted a side.*--seed "-1"/,
  );
  await refused(["make"], /no place to write to is given/);
  await refused(["make", "--out", "x", "--out", "./x/"], /train" is given twice/);
  await refused(["make", "--out", "x", "--prefix", "../y"], /--prefix "\.\.\/y": wanted a path/);
  await refused(
    ["make", "--out", "x", "--image-bytes", "160KiB"],
    /--image-bytes "160KiB": wanted 3648 to 50688 bytes for images of 224x224 pixels/,
  );
  await refused(["make", "--out", "hdfs://bucket"], /"hdfs:\/\/bucket": its scheme is unknown/);
});

Deno.test("dataset make says where it cannot write, and what to do", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const hint = /^Make room there, .* or give another place with --out$/;
    const make = (out: string) => ["make", "--out", out, "--prefix", "", ...SMALL];
    await refused(make(file), /^Cannot write shards to ".*\/file": it is no directory$/, hint);
    await refused(
      make("/proc/nothing/there"),
      /^Cannot write shards to "\/proc\/nothing\/there": it cannot be made: No such file/,
      hint,
    );
    // Directories of this file system take no files.
    await refused(make("/proc/self"), /^Cannot write shards to "\/proc\/self": .*partial'$/, hint);
  });
});

/** Writes images of two classes below `directory`. */
async function writeImages(directory: string): Promise<void> {
  const shards = `${directory}/made`;
  await dataset("make", "--out", shards, "--prefix", "", "--shards", "1", ...SMALL);
  const unpacked = `${directory}/unpacked`;
  await Deno.mkdir(unpacked);
  const tar = new Deno.Command("tar", {
    args: ["-xf", `${shards}/shard-000000.tar`, "-C", unpacked],
  });
  assert.equal((await tar.output()).success, true);
  for (const [name, index] of [["cat/a.jpg", 0], ["cat/b.JPEG", 1], ["dog/c.jpg", 2]] as const) {
    await Deno.mkdir(`${directory}/images/${name.slice(0, 3)}`, { recursive: true });
    await Deno.copyFile(`${unpacked}/00000${index}.jpg`, `${directory}/images/${name}`);
  }
}

Deno.test("dataset pack copies images as they are, with their labels and names", async () => {
  await withDirectory(async (directory) => {
    await writeImages(directory);
    const images = `${directory}/images`;
    const args = [
      "pack",
      images,
      "--out",
      `${directory}/out`,
      "--samples",
      "2",
      "--names",
      "--json",
    ];
    const { code, stdout } = await dataset(...args);
    assert.equal(code, 0);
    const done: Readonly<Record<string, unknown>> = JSON.parse(stdout);
    assert.deepEqual([done["shards"], done["samples"], done["damaged"]], [2, 3, []]);
    const out = `${directory}/out/train`;
    assert.equal(await Deno.readTextFile(`${out}/classes.txt`), "cat\ndog\n");
    for (const shard of [0, 1]) {
      const tar = { args: ["-xf", `${out}/shard-00000${shard}.tar`, "-C", out] };
      assert.equal((await new Deno.Command("tar", tar).output()).success, true);
    }
    for (const key of ["000000", "000001", "000002"]) {
      const { path }: { path: string } = JSON.parse(await Deno.readTextFile(`${out}/${key}.json`));
      const label = path.startsWith("cat/") ? "0" : "1";
      assert.equal(await Deno.readTextFile(`${out}/${key}.cls`), label);
      const extension = path.slice(path.indexOf(".")).toLowerCase();
      assert.deepEqual(
        await Deno.readFile(`${out}/${key}${extension}`),
        await Deno.readFile(`${images}/${path}`),
      );
    }
    assert.equal((await dataset("check", out)).code, 0);
  });
});

Deno.test("dataset pack ends at a damaged image, or leaves it out and says so", async () => {
  await withDirectory(async (directory) => {
    await writeImages(directory);
    const images = `${directory}/images`;
    await Deno.writeTextFile(`${images}/dog/page.jpg`, "<html>");
    await Deno.writeTextFile(`${images}/dog/empty.png`, "");
    const args = ["pack", images, "--out", `${directory}/out`, "--no-shuffle"];
    await refused(
      args,
      /^Cannot pack "\/.*dog\/empty\.png": the image is empty$/,
      /leave out such images with --skip-damaged/,
    );
    assert.deepEqual([...(await contents(`${directory}/out/train`)).keys()], []);
    const { stdout } = await dataset(...args, "--skip-damaged");
    assert.match(
      stdout,
      /^1 shard, 3 samples, .*\nleft out: 2 damaged: "dog\/empty\.png", "dog\/page\.jpg"\n$/,
    );
    assert.equal((await dataset("check", `${directory}/out`, "--samples", "3")).code, 0);
  });
});

Deno.test("dataset pack writes no shard without a sample", async () => {
  await withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/images/cat`, { recursive: true });
    for (const name of ["a.jpg", "b.jpg"]) {
      await Deno.writeTextFile(`${directory}/images/cat/${name}`, "<html>");
    }
    await refused(
      ["pack", `${directory}/images`, "--out", `${directory}/out`, "--skip-damaged"],
      /^Cannot pack "\/.*\/cat\/[ab]\.jpg" and 1 more into a shard: all of them are damaged$/,
      /^Mend them or move them away, or put more images into a shard with --samples$/,
    );
    assert.deepEqual([...(await contents(`${directory}/out/train`)).keys()], []);
  });
});

Deno.test("dataset pack takes labels from COCO annotations", async () => {
  await withDirectory(async (directory) => {
    await writeImages(directory);
    const coco = {
      images: [{ id: 1, file_name: "cat/a.jpg" }, { id: 2, file_name: "dog/c.jpg" }],
      annotations: [{ image_id: 1, category_id: 18, area: 5 }],
      categories: [{ id: 18, name: "dog" }],
    };
    const file = `${directory}/instances.json`;
    await Deno.writeTextFile(file, JSON.stringify(coco));
    const args = ["pack", `${directory}/images`, "--coco", file, "--out"];
    const left = await dataset(...args, `${directory}/left`);
    assert.match(left.stdout, /^1 shard, 1 sample, .*\nleft out: 1 without annotation\n$/);
    const all = await dataset(...args, `${directory}/all`, "--unannotated", "none");
    assert.match(all.stdout, /^1 shard, 2 samples, /);
    assert.equal(await Deno.readTextFile(`${directory}/all/train/classes.txt`), "dog\nnone\n");
    await refused(
      ["pack", `${directory}/images`, "--out", "x", "--unannotated", "none"],
      /--unannotated is given without --coco/,
    );
    await refused(
      ["pack", `${directory}/images`, "--out", "x", "--samples", "1", "--shard-bytes", "1MiB"],
      /wanted one of them/,
    );
    await refused(["pack", `${directory}/nowhere`, "--out", "x"], /nowhere": it cannot be read/);
  });
});

Deno.test("dataset check tells every problem with its shard and its place", async () => {
  await withDirectory(async (directory) => {
    const path = (index: number) => `${directory}/shard-00000${index}.tar`;
    await dataset("make", "--out", directory, "--prefix", "", "--shards", "4", ...SMALL);
    await Deno.copyFile(path(1), path(7));
    await Deno.remove(path(2));
    await Deno.truncate(path(3), 700);
    await Deno.writeTextFile(`${directory}/classes.txt`, "only one\n");
    await Deno.writeTextFile(`${directory}/more.tar`, "");
    const { code, stdout } = await dataset("check", directory, "--samples", "20", "--json");
    assert.equal(code, 1);
    const lines: { path: string | null; offset_bytes: number | null; message: string }[] = stdout
      .trimEnd().split("\n").map((line) => JSON.parse(line));
    const problems = lines.slice(0, -1);
    const about = (pattern: RegExp) => problems.filter(({ message }) => pattern.test(message));
    assert.equal(about(/wanted a label below 1, found/).length > 0, true);
    const [cut] = about(/cut short/);
    assert.deepEqual([cut?.path, cut?.offset_bytes], [path(3), 0]);
    assert.deepEqual(about(/not named shard-NNNNNN\.tar/)[0]?.path, `${directory}/more.tar`);
    assert.deepEqual(
      about(/missing/).map(({ message }) => message),
      ["shard-000002.tar: missing", "shard-000004.tar and 2 after it: missing"],
    );
    assert.equal(about(/^found \d+ samples, wanted 20$/).length, 1);
    const text = await dataset("check", directory, "--classes", "10");
    assert.match(
      text.stdout,
      /^.*\/shard-000003\.tar: member ".*" at byte 0: it is cut short after/m,
    );
    assert.match(text.stdout, /shard-000007\.tar: sample "000005" at byte \d+: there is one .* in/);
    assert.match(text.stdout, /: 9 problems\n$/);
  });
});

Deno.test("dataset check wants shards to check", async () => {
  await withDirectory(async (directory) => {
    await refused(
      ["check", directory],
      /^Cannot find shards: ".*" holds no file named shard-NNNNNN\.tar/,
    );
    await refused(["check"], /missing required argument/);
  });
});
