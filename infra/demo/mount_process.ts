/** `warpdrive mount` as a child of the demo: started, waited for, and always taken away. */
import { TextLineStream } from "../../cache/platform/text_lines.ts";
import { REPOSITORY } from "../tools/source_tree.ts";
import { untilAborted } from "./abort.ts";

/** How long whoever is still inside the mount may keep it, and how long the process may take. */
const STOP_TIMEOUT = "3s";
const STOP_MS_MAX = 10_000;
/** Lines of its log that are kept for the message of a failed start. */
const LOG_LINES_MAX = 20;

/** A mount that is being served; disposing ends it, by force where it does not end itself. */
export interface MountProcess extends AsyncDisposable {
  readonly pid: number;
  /** Unmounts as a service manager would, with SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
}

/** The program from source, as `deno task warpdrive` runs it. */
function program(args: readonly string[]): readonly string[] {
  return ["run", "--allow-all", "main.ts", ...args];
}

/**
 * Mounts by the configuration file at `config`; resolves when the mount at `mountPoint` is
 * listable.
 *
 * @throws when the process ends first, with the last lines of its log.
 */
export async function startMount(
  config: string,
  mountPoint: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<MountProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...program(["mount", "--config", config, "--stop-timeout", STOP_TIMEOUT])],
    cwd: REPOSITORY,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log: string[] = [];
  const ready = Promise.withResolvers<boolean>();
  const drained = readLog(child.stderr, log, () => ready.resolve(true)).finally(() =>
    ready.resolve(false)
  );
  const end = async () => {
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    signalChild(child);
    const { code } = await child.status;
    clearTimeout(late);
    await drained;
    await detachLeftover(mountPoint);
    return code;
  };
  try {
    if (!await untilAborted(ready.promise, signal)) {
      throw new Error(`Mount "${mountPoint}": the process ended\n${log.join("\n")}`);
    }
  } catch (error) {
    await end();
    throw error;
  }
  let ended: Promise<number> | null = null;
  const stop = () => ended ??= end();
  return {
    pid: child.pid,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function readLog(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
  log: string[],
  onReady: () => void,
): Promise<void> {
  const lines = stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    log.push(line);
    if (log.length > LOG_LINES_MAX) log.shift();
    if (line.includes('"event":"ready"')) onReady();
  }
}

function signalChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    // It has ended already, which is what was wanted.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Whether something is mounted at `path`. */
export async function isMounted(path: string): Promise<boolean> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  return mounts.split("\n").some((line) => line.split(" ")[1] === path);
}

/** Takes away what a killed process left, so that the directories below can be removed. */
async function detachLeftover(mountPoint: string): Promise<void> {
  if (!await isMounted(mountPoint)) return;
  const [command, flag] = Deno.uid() === 0 ? ["umount", "--lazy"] : ["fusermount3", "-uz"];
  const { success, stderr } = await new Deno.Command(command ?? "", {
    args: [flag ?? "", mountPoint],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(`Unmount "${mountPoint}": ${new TextDecoder().decode(stderr).trim()}`);
  }
}
