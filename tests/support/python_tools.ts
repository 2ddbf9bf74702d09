/** Programs of Python packages for tests, installed once outside the tree. */
import { succeed } from "./command.ts";

/** The directory with the programs of `requirements`, pinned ones, installed where needed. */
export async function pythonPrograms(
  name: string,
  requirements: readonly string[],
): Promise<string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const cache = `${home}/warpdrive-tests`;
  const directory = `${cache}/${name}`;
  const marker = `${directory}/installed`;
  const wanted = requirements.join("\n");
  if (await textOf(marker) === wanted) return `${directory}/bin`;
  // A virtual environment knows its own place, so it is made there; one that was left unfinished,
  // or that has other versions, is made anew.
  await Deno.mkdir(cache, { recursive: true });
  await succeed("python3", "-m", "venv", "--clear", directory);
  await succeed(
    `${directory}/bin/pip`,
    ...["install", "--quiet", "--disable-pip-version-check", ...requirements],
  );
  await Deno.writeTextFile(marker, wanted);
  return `${directory}/bin`;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
