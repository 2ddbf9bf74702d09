/** Programs that the demo runs: in an environment without credentials, and never left behind. */
import { TextLineStream } from "../../cache/platform/text_lines.ts";
import { REPOSITORY } from "../tools/source_tree.ts";

/** A run of a program that has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** From its start to its end, as a user at the terminal would see it. */
  readonly wallMs: number;
}

/** A program to run. */
export interface Child {
  /** The program, and its arguments. */
  readonly words: readonly string[];
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Is told of each line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
}

/** What programs need of the environment to run at all; nothing else of it reaches them. */
const INHERITED = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "TMPDIR", "LANG"];
/** How long a program that is told to stop may take. */
const STOP_MS_MAX = 10_000;
/** Lines kept of each output. */
const LINES_MAX = 10_000;

/** The environment of all programs of the demo. */
export function plainEnvironment(): Readonly<Record<string, string>> {
  const pairs = INHERITED.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(pairs), NO_COLOR: "1" };
}

/** The words that run `warpdrive` from source. */
export function warpdrive(args: readonly string[]): readonly [string, ...string[]] {
  return [Deno.execPath(), "run", "--quiet", "--allow-all", "main.ts", ...args];
}

/**
 * Fetches what WarpDrive imports, where it is missing. In the whole environment, which may name a
 * registry or a proxy; afterwards no program of the demo needs one.
 */
export async function fetchDependencies(signal: AbortSignal): Promise<void> {
  const words = [Deno.execPath(), "install", "--quiet"];
  await succeed({ words, directory: REPOSITORY, env: Deno.env.toObject() }, signal);
}

/** Runs `child` to its end; ends it when the signal aborts, and then rejects with its reason. */
export async function runChild(child: Child, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  const [program = "", ...args] = child.words;
  const startedMs = performance.now();
  const process = new Deno.Command(program, {
    args,
    cwd: child.directory,
    clearEnv: true,
    env: { ...child.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const late = new AbortController();
  const stop = () => {
    kill(process, "SIGTERM");
    const timer = setTimeout(() => kill(process, "SIGKILL"), STOP_MS_MAX);
    late.signal.addEventListener("abort", () => clearTimeout(timer));
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const [{ code }, stdout, stderr] = await Promise.all([
      process.status,
      linesOf(process.stdout, child.onLine),
      linesOf(process.stderr),
    ]);
    signal.throwIfAborted();
    return { code, stdout, stderr, wallMs: performance.now() - startedMs };
  } finally {
    late.abort();
    signal.removeEventListener("abort", stop);
  }
}

/** Runs `child`, which has to succeed. */
export async function succeed(child: Child, signal: AbortSignal): Promise<Ended> {
  const ended = await runChild(child, signal);
  if (ended.code === 0) return ended;
  const said = [...ended.stdout, ...ended.stderr].slice(-20).join("\n");
  throw new Error(`Run "${child.words.join(" ")}": exit code ${ended.code}\n${said}`);
}

/** Runs `warpdrive` with `args`, which has to succeed. */
export async function runWarpdrive(args: readonly string[], signal: AbortSignal): Promise<Ended> {
  const child = { words: warpdrive(args), directory: REPOSITORY, env: plainEnvironment() };
  return await succeed(child, signal);
}

/** Sends a signal to a process that may have ended. */
export function kill(process: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    process.kill(name);
  } catch (error) {
    // It has ended already, which is what was wanted.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function linesOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void = () => {},
): Promise<readonly string[]> {
  const lines: string[] = [];
  const text = output.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of text) {
    if (lines.length < LINES_MAX) lines.push(line);
    onLine(line);
  }
  return lines;
}
