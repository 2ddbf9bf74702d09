import { deepEqual, rejects } from "node:assert/strict";
import { type CocoSource, readCoco } from "./coco.ts";

const signal = new AbortController().signal;

const COCO = {
  info: { year: 2017 },
  annotations: [
    { id: 1, image_id: 7, category_id: 90, area: 10, bbox: [1, 2, 3, 4] },
    { id: 2, image_id: 7, category_id: 1, area: 99.5, segmentation: [[1, 2, 3]] },
    { id: 3, image_id: 7, category_id: 90, area: 99.5 },
    { id: 4, image_id: 8, category_id: 90, area: 1 },
  ],
  images: [
    { id: 8, file_name: "b.jpg", width: 10 },
    { id: 7, file_name: "a.jpg" },
    { id: 9, file_name: "c.jpg" },
  ],
  categories: [{ id: 90, name: "toothbrush" }, { id: 1, name: "person" }],
};

/** Runs `body` with the images a.jpg and b.jpg, and `text` as their annotations. */
async function withCoco(text: string, body: (source: CocoSource) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    for (const name of ["a.jpg", "b.jpg"]) await Deno.writeTextFile(`${directory}/${name}`, "");
    const file = `${directory}/instances.json`;
    await Deno.writeTextFile(file, text);
    await body({ directory, file, unannotated: null });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Expects that annotations changed by `change` are refused. */
async function refused(change: Readonly<Record<string, unknown>>, message: RegExp): Promise<void> {
  await withCoco(JSON.stringify({ ...COCO, ...change }), async (source) => {
    await rejects(readCoco(source, signal), message);
  });
}

Deno.test("readCoco labels images by the largest annotation, categories by their ids", async () => {
  await withCoco(JSON.stringify(COCO), async (source) => {
    const { classes, images, leftOut } = await readCoco(source, signal);
    deepEqual(classes, ["person", "toothbrush"]);
    deepEqual(images, [
      { path: `${source.directory}/a.jpg`, name: "a.jpg", label: 0 },
      { path: `${source.directory}/b.jpg`, name: "b.jpg", label: 1 },
    ]);
    deepEqual(leftOut, ["1 without annotation"]);
  });
});

Deno.test("readCoco gives images without annotation a class when told to", async () => {
  await withCoco(JSON.stringify(COCO), async (source) => {
    await Deno.writeTextFile(`${source.directory}/c.jpg`, "");
    const found = await readCoco({ ...source, unannotated: "nothing" }, signal);
    deepEqual(found.classes, ["person", "toothbrush", "nothing"]);
    deepEqual(found.images.map(({ label }) => label), [0, 1, 2]);
    deepEqual(found.leftOut, []);
  });
});

Deno.test("readCoco names what is wrong with a file of annotations", async () => {
  await refused({ annotations: [{ image_id: 7, category_id: 1 }] }, /annotations\[0\]\.area: /);
  await refused({ images: [{ id: "7", file_name: "a.jpg" }] }, /images\[0\]\.id: /);
  await refused({ categories: [] }, /"b\.jpg" is of category 90, unknown to it/);
  await refused({ annotations: [] }, /no image with an annotation/);
  const image = (name: string) => ({ images: [{ id: 7, file_name: name }] });
  await refused(image("../secret.jpg"), /"\.\.\/secret\.jpg" lies outside the directory/);
  await refused(image("/etc/secret.jpg"), /lies outside the directory/);
  await refused(image("a.tiff"), /is no \.jpg, \.jpeg or \.png file/);
  await refused(image("missing.jpg"), /names ".*missing\.jpg", which is not there/);
});

Deno.test("readCoco refuses what is cut short or no JSON", async () => {
  const text = JSON.stringify(COCO);
  for (const broken of ["", "x", text.slice(0, -1), text.slice(0, 100), `${text}x`]) {
    await withCoco(broken, async (source) => {
      await rejects(readCoco(source, signal), /Cannot read annotations/, broken);
    });
  }
});
