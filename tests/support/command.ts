/** Another program run to its end: what a user of the mount would type. */

/** How it ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `program` with `args`; its failure is a result. */
export async function run(program: string, ...args: string[]): Promise<CommandResult> {
  const output = await new Deno.Command(program, {
    args,
    cwd: "/",
    stdin: "null",
    env: { LC_ALL: "C", GIT_CONFIG_GLOBAL: "/dev/null" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Runs `program`, which has to succeed; what it wrote on stdout. */
export async function succeed(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, ...args);
  if (code === 0) return stdout;
  throw new Error(`"${program} ${args.join(" ")}" failed (exit code ${code}): ${stderr}`);
}

/** Whether `program` is installed. */
export function installed(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}
