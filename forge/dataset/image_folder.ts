/**
 * Images sorted into a directory for each class, at any depth below it: what torchvision calls an
 * ImageFolder. Labels follow the order of the directories' names.
 */
import { join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import { byName, isImageName, type LabelledImage, type LabelledImages } from "./labelled_images.ts";

/** Directories within directories: more is a link that leads back up. */
const DEPTH_MAX = 32;

/**
 * The images below `directory`.
 *
 * @throws {CommandError} when there are none, or some belong to no class.
 */
export async function readImageFolder(
  directory: string,
  signal: AbortSignal,
): Promise<LabelledImages> {
  const top = await list(directory, "", signal);
  const [stray] = top.files.filter(isImageName);
  if (stray !== undefined) {
    throw new CommandError(
      "failed",
      `Cannot pack "${join(directory, stray)}": it is in no directory of a class`,
      "Sort the images into a directory for each class, or give labels with --coco FILE",
    );
  }
  const images: LabelledImage[] = [];
  let others = top.files.length;
  for (const [label, name] of top.directories.entries()) {
    const files = await filesBelow(directory, name, signal);
    const found = files.filter(isImageName);
    others += files.length - found.length;
    for (const file of found) images.push({ path: join(directory, file), name: file, label });
  }
  if (images.length === 0) {
    throw new CommandError(
      "failed",
      `Cannot pack "${directory}": no directory in it holds a .jpg, .jpeg or .png file`,
      "Name a directory that has a directory for each class",
    );
  }
  const leftOut = others === 0 ? [] : [`${others} that are no .jpg, .jpeg or .png`];
  return { classes: top.directories, images: byName(images), leftOut };
}

/** Every file below `path` of `root`, by its path below `root`. */
async function filesBelow(root: string, path: string, signal: AbortSignal): Promise<string[]> {
  if (path.split("/").length > DEPTH_MAX) {
    throw new CommandError(
      "failed",
      `Cannot pack "${join(root, path)}": it lies ${DEPTH_MAX} directories deep`,
      "Look for a link that leads back to a directory above it",
    );
  }
  const { files, directories } = await list(root, path, signal);
  const found = files.map((name) => join(path, name));
  for (const name of directories) {
    for (const file of await filesBelow(root, join(path, name), signal)) found.push(file);
  }
  return found;
}

/** What is in `path` of `root`, sorted; links are what they lead to. */
async function list(
  root: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly files: readonly string[]; readonly directories: readonly string[] }> {
  const files: string[] = [];
  const directories: string[] = [];
  for await (const entry of Deno.readDir(join(root, path))) {
    signal.throwIfAborted();
    const status = entry.isSymlink ? await Deno.stat(join(root, path, entry.name)) : entry;
    if (status.isDirectory) directories.push(entry.name);
    else files.push(entry.name);
  }
  return { files: files.sort(), directories: directories.sort() };
}
