/** Mounts of one directory, served by child processes: WarpDrive's and its peer's. */
import type { Clock } from "../cache/platform/clock.ts";

/** How long a mount may take to appear. */
const READY_MS_MAX = 30_000;
const POLL_MS = 20;
/** How long a process may take to unmount before it is killed. */
const STOP_MS_MAX = 10_000;

/** A served mount; disposing unmounts it. */
export interface Mount extends AsyncDisposable {
  readonly path: string;
  /**
   * The most memory its process has had resident so far, in MiB.
   *
   * @throws when the process has ended, with what it logged.
   */
  peakMemoryMib(): number;
  /** Forgets the peak: from now on it is what was resident since. For root only. */
  forgetPeak(): void;
  /** Seconds of processor time its process has used so far, user and system. */
  cpuSeconds(): number;
}

/** What starting a mount takes. */
export interface MountDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** An empty directory to make mount points and configuration files in. */
  readonly directory: string;
}

/**
 * Mounts the directory `root` with WarpDrive.
 *
 * @param program Command line that starts it, without the subcommand.
 */
export async function mountWarpdrive(
  program: readonly string[],
  root: string,
  passthrough: boolean,
  deps: MountDeps,
): Promise<Mount> {
  const place = await Deno.makeTempDir({ dir: deps.directory, prefix: "warpdrive-" });
  const path = `${place}/mnt`;
  await Deno.mkdir(path);
  const config = `${place}/config.yaml`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      mount_point: path,
      metrics: { enabled: false },
      fuse: { passthrough },
      backends: [{ name: "data", type: "local", config: { root } }],
    }),
  );
  const mount = await serve([...program, "mount", "--config", config], path, saysReady, deps);
  return { ...mount, path: `${path}/data` };
}

/** How much rclone keeps on disk of what it reads. */
export type RcloneCache = "off" | "full";

/** Mounts the directory `root` with rclone, with everything on that makes reading faster. */
export async function mountRclone(
  program: string,
  root: string,
  cache: RcloneCache,
  deps: MountDeps,
): Promise<Mount> {
  const place = await Deno.makeTempDir({ dir: deps.directory, prefix: "rclone-" });
  const path = `${place}/mnt`;
  await Deno.mkdir(path);
  const flags = [
    ...["--config", "/dev/null", "--read-only", "--async-read=true"],
    ...["--vfs-cache-mode", cache, "--cache-dir", `${place}/cache`],
    ...["--dir-cache-time", "1h", "--attr-timeout", "60s", "--poll-interval", "0"],
    ...["--max-read-ahead", "1Mi", "--buffer-size", "16Mi", "--vfs-fast-fingerprint"],
  ];
  return await serve([program, "mount", ...flags, root, path], path, () => isMounted(path), deps);
}

/** Whether `log` says that WarpDrive has mounted and set everything up. */
export function saysReady(log: string): boolean {
  return log.includes('"event":"ready"');
}

/** Starts `command`, which mounts `path`, and waits until `isReady` of what it has logged. */
export async function serve(
  command: readonly string[],
  path: string,
  isReady: (log: string) => boolean,
  { clock, signal }: MountDeps,
  variables: Readonly<Record<string, string>> = {},
): Promise<Mount> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    env: variables,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  let ended = false;
  const drained = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log += text;
    ended = true;
  })();
  const mount: Mount = {
    path,
    peakMemoryMib() {
      if (ended) throw new Error(`Read the memory of "${program}": it has ended\n${log.trim()}`);
      return peakMemoryMib(child.pid);
    },
    forgetPeak: () => Deno.writeTextFileSync(`/proc/${child.pid}/clear_refs`, "5"),
    cpuSeconds: () => cpuSeconds(child.pid),
    async [Symbol.asyncDispose]() {
      await stop(child, path);
      await drained;
    },
  };
  try {
    for (let waitedMs = 0; !isReady(log); waitedMs += POLL_MS) {
      if (ended || waitedMs > READY_MS_MAX) {
        throw new Error(`Mount "${path}" with "${program}": it is not mounted\n${log.trim()}`);
      }
      await clock.sleep(POLL_MS, signal);
    }
  } catch (error) {
    await mount[Symbol.asyncDispose]();
    throw error;
  }
  return mount;
}

async function stop(child: Deno.ChildProcess, path: string): Promise<void> {
  const kill = (name: Deno.Signal) => {
    try {
      child.kill(name);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  };
  const late = setTimeout(() => kill("SIGKILL"), STOP_MS_MAX);
  kill("SIGTERM");
  await child.status;
  clearTimeout(late);
  if (!isMounted(path)) return;
  const [program, flag] = Deno.uid() === 0 ? ["umount", "--lazy"] : ["fusermount3", "-uz"];
  await new Deno.Command(program ?? "", { args: [flag ?? "", path], stdin: "null" }).output();
}

function isMounted(path: string): boolean {
  return Deno.readTextFileSync("/proc/self/mounts").split("\n")
    .some((line) => line.split(" ")[1] === path);
}

function peakMemoryMib(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1024;
}

/** Ticks of the processor time in /proc, on every architecture Linux has today. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time that process `pid` has used, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
