/**
 * `deno task build [--target TARGET]`: bundles the program and compiles it to `dist/warpdrive`,
 * with its checksum and the list of its parts beside it.
 *
 * Bundling first makes the binary less than half as large and its start twice as fast; code
 * splitting keeps what a subcommand needs out of the others.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { VERSION } from "../../cache/platform/version.ts";
import { bundleProgram } from "./build_bundle.ts";
import { compileProgram, megabytes } from "./build_compile.ts";
import { run } from "./build_process.ts";
import { type Target, wantedTarget } from "./build_target.ts";
import { componentsOf, type Program, sbomOf } from "./sbom.ts";
import { readSource, REPOSITORY } from "./source_tree.ts";

/** How long `--help` may take before the build says that it is too slow. */
const HELP_MS_MAX = 300;
/** The program, its parts, and its checksum, by which the program is known: last. */
const MADE = ["warpdrive", "warpdrive.cdx.json", "warpdrive.sha256"];

const encoder = new TextEncoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** The commit of the working tree, marked when there are changes; `unknown` without git. */
async function currentCommit(): Promise<string> {
  const git = (...args: string[]) => run({ program: "git", args, env: {} });
  try {
    const head = await git("rev-parse", "--short=12", "HEAD");
    if (!head.succeeded) return "unknown";
    const changes = await git("status", "--porcelain");
    return head.output.trim() + (changes.output.trim() === "" ? "" : "-dirty");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

const Manifest = z.object({
  license: z.union([z.string(), z.object({ type: z.string() })]).optional(),
});

/** What the manifest of a package says of its license; `packages` has a folder per registry. */
function licenseOf(packages: string, name: string, version: string): string | null {
  for (const registry of Deno.readDirSync(packages)) {
    let text: string;
    try {
      text = Deno.readTextFileSync(join(packages, registry.name, name, version, "package.json"));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        continue;
      }
      throw error;
    }
    const { license } = Manifest.parse(JSON.parse(text));
    return typeof license === "object" ? license.type : license ?? null;
  }
  return null;
}

/** Milliseconds until `warpdrive --help` has ended, the middle one of five runs. */
async function helpMs(program: string): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const started = performance.now();
    const { succeeded, output } = await run({ program, args: ["--help"], env: {} });
    if (!succeeded) throw new Error(`Run "${program} --help": it failed\n${output}`);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[2] ?? NaN;
}

async function build(args: readonly string[]): Promise<void> {
  const started = performance.now();
  const { target, directory } = wantedTarget(args, Deno.build.target);
  // Several may build in this tree at once, and a mount may be running what was built before: all
  // is made in a folder of its own, and takes its place when it is done.
  const cache = join(REPOSITORY, ".cache");
  await Deno.mkdir(cache, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cache, prefix: "build-" });
  try {
    const made = await make(target, work);
    await Deno.mkdir(join(REPOSITORY, directory), { recursive: true });
    for (const name of MADE) {
      await Deno.rename(join(work, name), join(REPOSITORY, directory, name));
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`${directory}/warpdrive: ${made}, built in ${seconds} s`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  if (target !== Deno.build.target) return;
  const ms = Math.round(await helpMs(join(REPOSITORY, directory, "warpdrive")));
  const verdict = ms <= HELP_MS_MAX ? "" : `, wanted ${HELP_MS_MAX} ms at most`;
  say(`${directory}/warpdrive --help: ${ms} ms${verdict}`);
}

/** Makes the program in the folder `work`, with what belongs beside it; says what it is. */
async function make(target: Target, work: string): Promise<string> {
  const output = join(work, "warpdrive");
  const commit = await currentCommit();
  const bundle = await bundleProgram(commit, join(work, "bundle"));
  const runtime = await compileProgram(bundle, target, output, say);
  const bytes = await Deno.readFile(output);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await Deno.writeTextFile(`${output}.sha256`, `${sha256}  warpdrive\n`);
  const program: Program = { version: VERSION, commit, sha256, runtime, target };
  const license = (name: string, version: string) => licenseOf(bundle.packages, name, version);
  const parts = componentsOf(bundle.texts, readSource("deno.lock"), license);
  await Deno.writeTextFile(`${output}.cdx.json`, sbomOf(program, parts));
  const what = `commit ${commit}, Deno ${runtime}, ${parts.length} packages`;
  return `${what}, ${megabytes(bytes.length)} MB`;
}

if (import.meta.main) await build(Deno.args);
