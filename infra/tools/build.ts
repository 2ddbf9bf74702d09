/**
 * `deno task build`: bundles the program and compiles it to `dist/warpdrive`.
 *
 * Bundling first makes the binary less than half as large and its start twice as fast; code
 * splitting keeps what a subcommand needs out of the others.
 */
import { basename, join } from "node:path";
import { type Compiler, STUB_DENO_VERSION, stubCompiler } from "./runtime_stub.ts";
import { REPOSITORY } from "./source_tree.ts";
import { V8_FLAGS } from "../../cache/platform/v8_flags.ts";

const OUTPUT = join(REPOSITORY, "dist", "warpdrive");
const BUNDLE = join(REPOSITORY, ".cache", "bundle");

/** Programs of Workers: an entry of the bundle each, found by the URL in `new Worker(…)`. */
const WORKERS = [
  "bench/reading/read_worker.ts",
  "cache/index/worker.ts",
  "forge/dataset/dataset_worker.ts",
  "forge/train/shard_worker.ts",
];

/** As `cache/platform/version.ts` has it, in the bundler's words. */
const COMMIT_FROM_SOURCE = /\bCOMMIT = "source"/g;

const encoder = new TextEncoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Runs to the end; the output is kept and shown only when it is asked for. */
async function run(what: Run): Promise<{ readonly succeeded: boolean; readonly output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(what.program, {
    args: [...what.args],
    env: { NO_COLOR: "1", ...what.env },
    cwd: REPOSITORY,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { succeeded: success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function bundle(): Promise<void> {
  await Deno.remove(BUNDLE, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const args = ["bundle", "--quiet", "--platform", "deno", "--code-splitting"];
  const { succeeded, output } = await run({
    program: Deno.execPath(),
    args: [...args, "--outdir", BUNDLE, "main.ts", ...WORKERS],
    env: {},
  });
  if (!succeeded) throw new Error(`Bundle "main.ts": it failed\n${output}`);
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

/** Writes the commit into the one chunk that names it, and where each Worker lies now. */
async function stamp(commit: string): Promise<void> {
  await replaceOnce(COMMIT_FROM_SOURCE, `COMMIT = "${commit}"`);
  for (const worker of WORKERS) {
    // Chunks lie at the root of the bundle, entries in the folders of their sources.
    const written = new RegExp(`"\\./${basename(worker)}"`, "g");
    await replaceOnce(written, `"./${bundled(worker)}"`);
  }
}

/** Replaces the one place of the bundle that matches `pattern`. */
async function replaceOnce(pattern: RegExp, replacement: string): Promise<void> {
  let places = 0;
  for await (const entry of Deno.readDir(BUNDLE)) {
    if (!entry.isFile) continue;
    const path = join(BUNDLE, entry.name);
    const text = await Deno.readTextFile(path);
    const found = text.match(pattern)?.length ?? 0;
    places += found;
    if (found > 0) await Deno.writeTextFile(path, text.replace(pattern, replacement));
  }
  if (places !== 1) throw new Error(`Replace ${pattern}: ${places} places found, wanted one`);
}

/** What became of the entry `source`. */
function bundled(source: string): string {
  return source.replace(/\.ts$/, ".js");
}

/** Compiles the bundle; null when done, else what went wrong. */
async function compile(compiler: Compiler): Promise<string | null> {
  const temporary = `${OUTPUT}.${crypto.randomUUID()}`;
  const { succeeded, output } = await run({
    program: compiler.deno,
    args: [
      "compile",
      "--allow-all",
      "--no-check",
      "--no-config",
      "--no-lock",
      V8_FLAGS,
      ...WORKERS.flatMap((worker) => ["--include", join(BUNDLE, bundled(worker))]),
      "--output",
      temporary,
      join(BUNDLE, "main.js"),
    ],
    env: {
      // The graph of a large bundle overflows the compiler's default stack.
      RUST_MIN_STACK: String(64 * 2 ** 20),
      ...(compiler.runtime === null ? {} : { DENORT_BIN: compiler.runtime }),
    },
  });
  if (!succeeded) return output;
  // A mount may be running the old binary, which must not be written to.
  await Deno.rename(temporary, OUTPUT);
  return null;
}

async function compileSomehow(): Promise<void> {
  const own = await compile({ deno: Deno.execPath(), runtime: null });
  if (own === null) return;
  const reason = /error sending[^\n]*/.exec(own)?.[0] ?? /^error: [^\n]*/m.exec(own)?.[0] ?? own;
  say(`Deno ${Deno.version.deno} cannot compile here, trying ${STUB_DENO_VERSION}: ${reason}`);
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? REPOSITORY, ".cache");
  const failure = await compile(await stubCompiler(join(home, "warpdrive-build")));
  if (failure !== null) throw new Error(`Compile "${OUTPUT}": it failed\n${own}\n${failure}`);
}

/** Milliseconds until `warpdrive --help` has ended, the middle one of five runs. */
async function helpMs(): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const started = performance.now();
    const { succeeded, output } = await run({ program: OUTPUT, args: ["--help"], env: {} });
    if (!succeeded) throw new Error(`Run "${OUTPUT} --help": it failed\n${output}`);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[2] ?? NaN;
}

if (import.meta.main) {
  const started = performance.now();
  await Deno.mkdir(join(REPOSITORY, "dist"), { recursive: true });
  const commit = await currentCommit();
  await bundle();
  await stamp(commit);
  await compileSomehow();
  const megabytes = (Deno.statSync(OUTPUT).size / 1e6).toFixed(1);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`dist/warpdrive: commit ${commit}, ${megabytes} MB, built in ${seconds} s`);
  say(`dist/warpdrive --help: ${Math.round(await helpMs())} ms`);
}
