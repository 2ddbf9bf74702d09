import { deepEqual, rejects } from "node:assert/strict";
import { readImageFolder } from "./image_folder.ts";

const signal = new AbortController().signal;

/** Runs `body` in a directory with empty files of these names. */
async function withFiles(
  names: readonly string[],
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    for (const name of names) {
      const path = `${directory}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, "");
    }
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("readImageFolder labels images by the order of their directories' names", async () => {
  const names = ["b/2.JPG", "b/deep/1.png", "a10/x.jpeg", "a9/y.jpg", "b/readme.txt", "notes.txt"];
  await withFiles(names, async (directory) => {
    const { classes, images, leftOut } = await readImageFolder(directory, signal);
    deepEqual(classes, ["a10", "a9", "b"]);
    deepEqual(images.map(({ name, label }) => [name, label]), [
      ["a10/x.jpeg", 0],
      ["a9/y.jpg", 1],
      ["b/2.JPG", 2],
      ["b/deep/1.png", 2],
    ]);
    deepEqual(images[0]?.path, `${directory}/a10/x.jpeg`);
    deepEqual(leftOut, ["2 that are no .jpg, .jpeg or .png"]);
  });
});

Deno.test("readImageFolder follows links, and ends where one leads back up", async () => {
  await withFiles(["elsewhere/1.jpg", "images/a/2.jpg"], async (directory) => {
    await Deno.symlink(`${directory}/elsewhere`, `${directory}/images/b`);
    const { images } = await readImageFolder(`${directory}/images`, signal);
    deepEqual(images.map(({ name }) => name), ["a/2.jpg", "b/1.jpg"]);
    await Deno.symlink("..", `${directory}/images/a/up`);
    await rejects(readImageFolder(`${directory}/images`, signal), /lies 32 directories deep/);
  });
});

Deno.test("readImageFolder refuses images without a class, and no images at all", async () => {
  await withFiles(["1.jpg", "a/2.jpg"], async (directory) => {
    await rejects(readImageFolder(directory, signal), /1\.jpg": it is in no directory of a class/);
  });
  await withFiles(["a/readme.txt"], async (directory) => {
    await rejects(readImageFolder(directory, signal), /no directory in it holds a \.jpg/);
  });
});
