/** Servers for tests that Go builds from their source, once, in the user's cache directory. */
import { exists } from "./exists.ts";

/** A program, and where it comes from. */
export interface GoProgram {
  /** As `go install` names it. */
  readonly name: string;
  readonly version: string;
  /** The path of its main package, without a version. */
  readonly packagePath: string;
}

/** The path of the program, which is built first where it is not there. */
export async function installGoProgram(wanted: GoProgram, signal: AbortSignal): Promise<string> {
  const { name, version, packagePath } = wanted;
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const cache = `${home}/warpdrive-tests`;
  const program = `${cache}/${name}-${version}`;
  if (await exists(program)) return program;
  await Deno.mkdir(cache, { recursive: true });
  // Other test runs may be building too: whoever is first puts the program in place.
  const own = await Deno.makeTempDir({ dir: cache });
  try {
    const go = await new Deno.Command("go", {
      args: ["install", `${packagePath}@${version}`],
      env: { GOBIN: own },
      stdout: "piped",
      stderr: "piped",
      signal,
    }).output();
    signal.throwIfAborted();
    if (!go.success) {
      throw new Error(`Cannot build ${name}: ${new TextDecoder().decode(go.stderr)}`);
    }
    await Deno.rename(`${own}/${name}`, program);
  } finally {
    await Deno.remove(own, { recursive: true });
  }
  return program;
}
