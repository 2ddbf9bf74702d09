/** Runs the program as a user would: the compiled one that WARPDRIVE_BIN names, or from source. */

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** How a run ended. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words of a command line that starts the program. */
export function programWords(): readonly [string, ...string[]] {
  const binary = Deno.env.get("WARPDRIVE_BIN");
  return binary === undefined
    ? [Deno.execPath(), "run", "--allow-all", "--no-check", "--quiet", MAIN]
    : [binary];
}

/**
 * A command that runs the program in `directory` and sees no variables but `variables` and those
 * the runtime itself needs.
 */
export function programCommand(
  args: readonly string[],
  directory: string,
  variables: Readonly<Record<string, string>>,
): Deno.Command {
  const [program, ...first] = programWords();
  const inherited = ["PATH", "HOME", "DENO_DIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Deno.Command(program, {
    args: [...first, ...args],
    cwd: directory,
    clearEnv: true,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...variables },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs the program to its end, in a directory of its own that holds `files`. */
export async function runProgram(
  args: readonly string[],
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Promise<ProgramResult> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    const { code, stdout, stderr } = await programCommand(args, directory, variables).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
