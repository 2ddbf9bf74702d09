/**
 * Images with COCO annotations. An image's label is the category of its largest annotation;
 * categories get labels from 0 on, in the order of their ids.
 */
import { join } from "node:path/posix";
import { JSONParser } from "@streamparser/json";
import { z } from "zod";
import { CommandError } from "../../cache/platform/exit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { fileChunks } from "../train/file_chunks.ts";
import { byName, isImageName, type LabelledImage, type LabelledImages } from "./labelled_images.ts";

const Id = z.number().int();
const CocoImage = z.object({ id: Id, file_name: z.string().min(1) });
const Category = z.object({ id: Id, name: z.string().min(1) });
const Annotation = z.object({ image_id: Id, category_id: Id, area: z.number().nonnegative() });

/** Annotations of a large set are hundreds of megabytes: only these lists are looked at. */
const LISTS = { images: CocoImage, categories: Category, annotations: Annotation };

/** What a file of annotations says. */
export interface CocoFile {
  /** Names of images, by id. */
  readonly images: ReadonlyMap<number, string>;
  /** Names of categories, by id. */
  readonly categories: ReadonlyMap<number, string>;
  /** The largest annotation of each image that has any, by the image's id. */
  readonly largest: ReadonlyMap<number, { readonly category: number; readonly area: number }>;
}

/** How to make a data set of images with annotations. */
export interface CocoSource {
  /** Where the images are. */
  readonly directory: string;
  /** The file of annotations. */
  readonly file: string;
  /** The class of images without annotation; null leaves them out. */
  readonly unannotated: string | null;
}

/**
 * The images that the file of `source` names.
 *
 * @throws {CommandError} when the file is no good, or names images that are not there.
 */
export async function readCoco(source: CocoSource, signal: AbortSignal): Promise<LabelledImages> {
  const { directory, file, unannotated } = source;
  const coco = readCocoFile(file, signal);
  const ids = [...coco.categories.keys()].sort((one, other) => one - other);
  const labels = new Map(ids.map((id, label) => [id, label]));
  const classes = ids.map((id) => coco.categories.get(id) ?? "");
  if (unannotated !== null) classes.push(unannotated);
  const images: LabelledImage[] = [];
  let left = 0;
  for (const [id, name] of coco.images) {
    const category = coco.largest.get(id)?.category;
    if (category === undefined && unannotated === null) {
      left += 1;
      continue;
    }
    const label = category === undefined ? classes.length - 1 : labels.get(category);
    if (label === undefined) {
      throw wrongFile(file, `an annotation of "${name}" is of category ${category}, unknown to it`);
    }
    images.push({ path: join(directory, checkedName(file, name)), name, label });
  }
  if (images.length === 0) throw wrongFile(file, "it names no image with an annotation");
  await refuseMissing(source, images, signal);
  const leftOut = left === 0 ? [] : [`${left} without annotation`];
  return { classes, images: byName(images), leftOut };
}

/** Reads annotations without having the whole file in memory. */
export function readCocoFile(file: string, signal: AbortSignal): CocoFile {
  const images = new Map<number, string>();
  const categories = new Map<number, string>();
  const largest = new Map<number, { category: number; area: number }>();
  const paths = Object.keys(LISTS).map((list) => `$.${list}.*`);
  const parser = new JSONParser({ paths, keepStack: false });
  parser.onValue = ({ value, key, stack }) => {
    const list = String(stack[1]?.key);
    const place = `${list}[${key}]`;
    if (list === "images") {
      const image = read(file, place, CocoImage, value);
      images.set(image.id, image.file_name);
    } else if (list === "categories") {
      const category = read(file, place, Category, value);
      categories.set(category.id, category.name);
    } else {
      const { image_id: image, category_id: category, area } = read(file, place, Annotation, value);
      const before = largest.get(image);
      if (before === undefined || area > before.area) largest.set(image, { category, area });
    }
  };
  try {
    for (const chunk of fileChunks(file)) {
      signal.throwIfAborted();
      parser.write(chunk);
    }
  } catch (error) {
    if (signal.aborted || error instanceof CommandError) throw error;
    throw wrongFile(file, describeError(error), error);
  }
  if (!parser.isEnded) throw wrongFile(file, "it is cut short, or is no JSON object");
  return { images, categories, largest };
}

function read<T>(file: string, place: string, schema: z.ZodType<T>, value: unknown): T {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const [issue] = outcome.error.issues;
  throw wrongFile(file, `${[place, ...issue?.path ?? []].join(".")}: ${issue?.message}`);
}

/** Names come from whoever wrote the file, and must not lead out of the directory. */
function checkedName(file: string, name: string): string {
  const leadsOut = name.startsWith("/") || name.split("/").includes("..") || name.includes("\0");
  if (leadsOut) throw wrongFile(file, `image "${name}" lies outside the directory of images`);
  if (isImageName(name)) return name;
  throw wrongFile(file, `image "${name}" is no .jpg, .jpeg or .png file`);
}

async function refuseMissing(
  { directory, file }: CocoSource,
  images: readonly LabelledImage[],
  signal: AbortSignal,
): Promise<void> {
  const missing: string[] = [];
  for (const { path } of images) {
    signal.throwIfAborted();
    if (!await isFile(path)) missing.push(path);
  }
  const [first] = missing;
  if (first === undefined) return;
  const others = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  throw new CommandError(
    "failed",
    `Cannot pack "${directory}": "${file}" names "${first}"${others}, which is not there`,
    "Name the directory of the images that belong to the annotations",
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function wrongFile(file: string, reason: string, cause?: unknown): CommandError {
  return new CommandError(
    "failed",
    `Cannot read annotations "${file}": ${reason}`,
    "Give a file of COCO instances, such as instances_train2017.json",
    { cause },
  );
}
