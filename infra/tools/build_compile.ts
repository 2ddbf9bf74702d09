/** Makes one file of a bundle and Deno's runtime. */
import { join } from "node:path";
import { V8_FLAGS } from "../../cache/platform/v8_flags.ts";
import type { Bundle } from "./build_bundle.ts";
import { run } from "./build_process.ts";
import type { Target } from "./build_target.ts";
import { type Compiler, STUB_DENO_VERSION, stubCompiler } from "./runtime_stub.ts";
import { REPOSITORY } from "./source_tree.ts";

/** A larger program is one that something was bundled into by mistake. */
const PROGRAM_BYTES_MAX = 130e6;

/**
 * Compiles `bundle` to `output`; the version of Deno in it. Where this Deno cannot have its
 * runtime, the one of the package registries is taken.
 */
export async function compileProgram(
  bundle: Bundle,
  target: Target,
  output: string,
  say: (line: string) => void,
): Promise<string> {
  const own = await compile(bundle, target, output, { deno: Deno.execPath(), runtime: null });
  if (own === null) return Deno.version.deno;
  const reason = /error sending[^\n]*/.exec(own)?.[0] ?? /^error: [^\n]*/m.exec(own)?.[0] ?? own;
  say(`Deno ${Deno.version.deno} cannot compile here, trying ${STUB_DENO_VERSION}: ${reason}`);
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? REPOSITORY, ".cache");
  const compiler = await stubCompiler(join(home, "warpdrive-build"), target);
  const failure = await compile(bundle, target, output, compiler);
  if (failure !== null) throw new Error(`Compile "${output}": it failed\n${own}\n${failure}`);
  return STUB_DENO_VERSION;
}

/** Compiles with `compiler`; null when done, else what went wrong. */
async function compile(
  bundle: Bundle,
  target: Target,
  output: string,
  compiler: Compiler,
): Promise<string | null> {
  const ran = await run({
    program: compiler.deno,
    args: [
      ...["compile", "--allow-all", "--no-check", "--no-config", "--no-lock", V8_FLAGS],
      // It would be a file of a known name in a directory that everybody may write, and trusted.
      "--no-code-cache",
      ...["--target", target],
      ...bundle.workers.flatMap((worker) => ["--include", worker]),
      ...["--output", output, bundle.main],
    ],
    env: {
      // The graph of a large bundle overflows the compiler's default stack.
      RUST_MIN_STACK: String(64 * 2 ** 20),
      ...(compiler.runtime === null ? {} : { DENORT_BIN: compiler.runtime }),
    },
  });
  if (!ran.succeeded) return ran.output;
  checkSize((await Deno.stat(output)).size);
  return null;
}

/** @throws {Error} when a program of so many bytes is too large to be right. */
export function checkSize(bytes: number): void {
  if (bytes <= PROGRAM_BYTES_MAX) return;
  throw new Error(
    `Keep the program small: it has ${megabytes(bytes)} MB, wanted ` +
      `${megabytes(PROGRAM_BYTES_MAX)} MB at most`,
  );
}

/** Megabytes, for people. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
