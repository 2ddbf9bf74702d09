/** The sources of the repository in another folder, where they can be built. */
import { dirname, join } from "node:path/posix";
import { REPOSITORY, repositoryFiles } from "../../infra/tools/source_tree.ts";
import { succeed } from "./command.ts";

/** Copies the working tree, without its history, to the new folder `directory`. */
export async function copySources(directory: string): Promise<void> {
  for (const path of repositoryFiles()) {
    await Deno.mkdir(dirname(join(directory, path)), { recursive: true });
    await Deno.copyFile(join(REPOSITORY, path), join(directory, path));
  }
}

/** Builds what {@linkcode copySources} copied to `directory`. */
export async function buildCopy(directory: string, ...args: readonly string[]): Promise<void> {
  const words = ["run", "--no-check", "-A", join(directory, "infra", "tools", "build.ts")];
  await succeed(Deno.execPath(), ...words, ...args);
}
