/** Makes one bundle of the program and its Workers: the same one wherever it is made. */
import { basename, dirname, join, relative } from "node:path";
import { z } from "zod";
import { commonJsImports } from "./build_imports.ts";
import { stableBundle } from "./build_names.ts";
import { run } from "./build_process.ts";
import { REPOSITORY } from "./source_tree.ts";

const MAIN = "main.ts";

/** Programs of Workers: an entry of the bundle each, found by the URL in `new Worker(…)`. */
const WORKERS = [
  "bench/reading/read_worker.ts",
  "cache/index/worker.ts",
  "forge/dataset/dataset_worker.ts",
  "forge/train/shard_worker.ts",
];

/** As `cache/platform/version.ts` has it, in the bundler's words. */
const COMMIT_FROM_SOURCE = /\bCOMMIT = "source"/g;
/** The compiled program holds the times of the files in it. */
const MODIFIED = new Date(0);

/** The bundle on disk. */
export interface Bundle {
  readonly main: string;
  readonly workers: readonly string[];
  /** Text of every file. */
  readonly texts: readonly string[];
  /** Folder of the packages it was made from, with a folder for each registry. */
  readonly packages: string;
}

/** Bundles the working tree as `commit` into the new folder `directory`. */
export async function bundleProgram(commit: string, directory: string): Promise<Bundle> {
  const args = ["bundle", "--quiet", "--platform", "deno", "--code-splitting"];
  const { succeeded, output } = await run({
    program: Deno.execPath(),
    args: [...args, "--outdir", directory, MAIN, ...WORKERS],
    env: {},
  });
  if (!succeeded) throw new Error(`Bundle "${MAIN}": it failed\n${output}`);
  const packages = await packageFolder();
  const files = stableBundle(
    commonJsImports(stamp(await readBundle(directory), commit)),
    relative(Deno.realPathSync(REPOSITORY), packages),
  );
  await Deno.remove(directory, { recursive: true });
  await writeBundle(files, directory);
  return {
    main: join(directory, bundled(MAIN)),
    workers: WORKERS.map((worker) => join(directory, bundled(worker))),
    texts: [...files.values()],
    packages,
  };
}

async function packageFolder(): Promise<string> {
  const { stdout } = await run({ program: Deno.execPath(), args: ["info", "--json"], env: {} });
  const { npmCache } = z.object({ npmCache: z.string() }).parse(JSON.parse(stdout));
  return Deno.realPathSync(npmCache);
}

async function readBundle(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const visit = async (directory: string) => {
    for await (const entry of Deno.readDir(join(root, directory))) {
      const path = join(directory, entry.name);
      if (entry.isDirectory) await visit(path);
      else files.set(path, await Deno.readTextFile(join(root, path)));
    }
  };
  await visit("");
  return files;
}

async function writeBundle(files: ReadonlyMap<string, string>, root: string): Promise<void> {
  for (const [path, text] of files) {
    const file = join(root, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, text);
    await Deno.utime(file, MODIFIED, MODIFIED);
  }
}

/** Writes the commit into the one chunk that names it, and where each Worker lies now. */
function stamp(files: ReadonlyMap<string, string>, commit: string): Map<string, string> {
  let stamped = replaceOnce(files, COMMIT_FROM_SOURCE, `COMMIT = "${commit}"`);
  for (const worker of WORKERS) {
    // Chunks lie at the root of the bundle, entries in the folders of their sources.
    const written = new RegExp(`"\\./${basename(worker)}"`, "g");
    stamped = replaceOnce(stamped, written, `"./${bundled(worker)}"`);
  }
  return stamped;
}

/** Replaces the one place of the bundle that matches `pattern`. */
function replaceOnce(
  files: ReadonlyMap<string, string>,
  pattern: RegExp,
  replacement: string,
): Map<string, string> {
  let places = 0;
  const replaced = new Map([...files].map(([path, text]) => {
    places += text.match(pattern)?.length ?? 0;
    return [path, text.replace(pattern, replacement)];
  }));
  if (places !== 1) throw new Error(`Replace ${pattern}: ${places} places found, wanted one`);
  return replaced;
}

/** What became of the entry `source`. */
function bundled(source: string): string {
  return source.replace(/\.ts$/, ".js");
}
