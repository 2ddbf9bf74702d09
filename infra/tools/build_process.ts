/** Programs that the build runs, to their end. */
import { REPOSITORY } from "./source_tree.ts";

/** What is run. */
export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface Ran {
  readonly succeeded: boolean;
  readonly stdout: string;
  /** All that it wrote, to be shown when it is asked for. */
  readonly output: string;
}

/** Runs `what` at the root of the repository; failure is a result. */
export async function run(what: Run): Promise<Ran> {
  const { success, stdout, stderr } = await new Deno.Command(what.program, {
    args: [...what.args],
    env: { NO_COLOR: "1", ...what.env },
    cwd: REPOSITORY,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  return { succeeded: success, stdout: text, output: text + decoder.decode(stderr) };
}
