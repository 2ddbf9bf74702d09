/** `warpdrive mount` as a child of the demo: started, waited for, and always taken away. */
import { TextLineStream } from "../../cache/platform/text_lines.ts";
import { REPOSITORY } from "../tools/source_tree.ts";
import { untilAborted } from "./abort.ts";
import { kill, warpdrive } from "./children.ts";
import type { MountEnd } from "./verdict.ts";

/** A mount is ready well before, even from source on a busy machine. */
const READY_MS_MAX = 30_000;
/** How long whoever is still inside the mount may keep it, and how long the process may take. */
const STOP_TIMEOUT = "3s";
const STOP_MS_MAX = 10_000;
/** Last lines of its log that are kept, for the message of a failed start, and of complaints. */
const LOG_LINES_MAX = 20;

/** A mount that is being served; disposing ends it, by force where it does not end itself. */
export interface MountProcess extends AsyncDisposable {
  readonly pid: number;
  /** Warnings and errors in its log so far; the oldest are dropped when there are very many. */
  readonly complaints: readonly string[];
  /** Unmounts as a service manager would, with SIGTERM; what it leaves is taken away. */
  stop(): Promise<MountEnd>;
}

/**
 * Mounts by the configuration file at `config`, with no environment but `env`; resolves when the
 * mount at `mountPoint` is listable.
 *
 * @throws when the process ends first or is not ready in time, with the last lines of its log.
 */
export async function startMount(
  config: string,
  mountPoint: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<MountProcess> {
  const [program, ...args] = warpdrive([
    ...["mount", "--config", config, "--stop-timeout", STOP_TIMEOUT],
  ]);
  const child = new Deno.Command(program, {
    args,
    cwd: REPOSITORY,
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: string[] = [];
  const complaints: string[] = [];
  const ready = Promise.withResolvers<"ready" | "ended" | "late">();
  const onLine = (line: string) => {
    keep(log, line);
    if (/"level":"(warn|error)"/.test(line)) keep(complaints, line);
    if (line.includes('"event":"ready"')) ready.resolve("ready");
  };
  const drained = eachLine(child.stderr, onLine).finally(() => ready.resolve("ended"));
  const timer = setTimeout(() => ready.resolve("late"), READY_MS_MAX);
  const end = async (): Promise<MountEnd> => {
    const late = setTimeout(() => kill(child, "SIGKILL"), STOP_MS_MAX);
    kill(child, "SIGTERM");
    const { code } = await child.status;
    clearTimeout(late);
    await drained;
    const wasLeft = await isMounted(mountPoint);
    if (wasLeft) await detach(mountPoint);
    return { code, wasLeft };
  };
  try {
    const outcome = await untilAborted(ready.promise, signal);
    if (outcome !== "ready") {
      const why = outcome === "ended" ? "the process ended" : `not ready in ${READY_MS_MAX} ms`;
      throw new Error(`Mount "${mountPoint}": ${why}\n${log.join("\n")}`);
    }
  } catch (error) {
    await end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  let ended: Promise<MountEnd> | null = null;
  const stop = () => ended ??= end();
  return {
    pid: child.pid,
    complaints,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function keep(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > LOG_LINES_MAX) lines.shift();
}

async function eachLine(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) onLine(line);
}

/** Whether something is mounted at `path`. */
async function isMounted(path: string): Promise<boolean> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  return mounts.split("\n").some((line) => line.split(" ")[1] === path);
}

/** Takes away what a killed process left, so that the directories below can be removed. */
async function detach(mountPoint: string): Promise<void> {
  const [command, flag] = Deno.uid() === 0 ? ["umount", "--lazy"] : ["fusermount3", "-uz"];
  const { success, stderr } = await new Deno.Command(command ?? "", {
    args: [flag ?? "", mountPoint],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(`Unmount "${mountPoint}": ${new TextDecoder().decode(stderr).trim()}`);
  }
}
