/**
 * A real systemd for tests: booted by systemd-nspawn on an overlay in memory over this machine's
 * root. What is installed here is there, and nothing that is written there stays. Its network is
 * its own, with the loopback alone, unless a test needs servers that run outside.
 */
import { basename, dirname } from "node:path/posix";
import { type CommandResult, run, succeed } from "./command.ts";
import { eventually } from "./eventually.ts";

/** Room for what tests write, in memory; the compiled program alone takes a tenth of it. */
const OVERLAY_SIZE = "1g";
/** Signal that asks an init for an orderly end (systemd(1)): SIGRTMIN+4, poweroff.target. */
const POWER_OFF = "RTMIN+4";
const POWER_OFF_MS_MAX = 30_000;

/** What systemd-nspawn needs besides root: the package systemd-container. */
export const NSPAWN = "systemd-nspawn";

/**
 * Units that the machine outside has enabled do not start inside: the directory is begun anew.
 * A machine with the identity of the one outside is refused by nspawn.
 */
const PREPARE = `
set -e
mount -t tmpfs -o "size=$2,mode=755" tmpfs "$1/memory"
mkdir "$1/memory/upper" "$1/memory/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/memory/upper,workdir=$1/memory/work" "$1/root"
rm -rf "$1/root/etc/systemd/system" "$1/root/etc/systemd/user"
mkdir -p "$1/root/etc/systemd/system" "$1/root/etc/systemd/user"
ln -s /dev/null "$1/root/etc/systemd/system/systemd-networkd-wait-online.service"
tr -d - </proc/sys/kernel/random/uuid >"$1/root/etc/machine-id"
`;

/** Its own loopback, or the network of this machine, ports included. */
export type Network = "private" | "shared";

/** The running system; disposing powers it off and drops all that it wrote. */
export class BootedSystem implements AsyncDisposable {
  readonly #directory: string;
  readonly #network: Network;
  #nspawn: Deno.ChildProcess;
  /** Process outside that is process 1 inside. */
  #init = 0;

  private constructor(directory: string, network: Network) {
    this.#directory = directory;
    this.#network = network;
    this.#nspawn = startNspawn(`${directory}/root`, network);
  }

  /** Boots as far as multi-user.target; `prepare` is handed the root file system before that. */
  static async boot(
    prepare: (root: string) => Promise<void>,
    network: Network = "private",
  ): Promise<BootedSystem> {
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-system-" });
    await Promise.all(["memory", "root"].map((name) => Deno.mkdir(`${directory}/${name}`)));
    try {
      await succeed("sh", "-c", PREPARE, "sh", directory, OVERLAY_SIZE);
      await prepare(`${directory}/root`);
      const system = new BootedSystem(directory, network);
      try {
        await system.#booted();
      } catch (error) {
        const log = await Deno.readTextFile(`${directory}/memory/console`);
        const { stdout: jobs } = await system.run("systemctl", "list-jobs", "--no-pager");
        await system.#end();
        throw new Error(`Cannot boot a system; console and jobs:\n${log}${jobs}`, {
          cause: error,
        });
      }
      return system;
    } catch (error) {
      await takeAway(directory);
      throw error;
    }
  }

  /** Its root directory, as seen from outside; what it has mounted since does not show here. */
  get root(): string {
    return `${this.#directory}/root`;
  }

  /** Runs a program inside, as root, to its end. */
  async run(...words: readonly string[]): Promise<CommandResult> {
    return await run("nsenter", ...this.#inside(), ...words);
  }

  /** Runs a program inside, which has to succeed; what it wrote on stdout. */
  async succeed(...words: readonly string[]): Promise<string> {
    return await succeed("nsenter", ...this.#inside(), ...words);
  }

  /** A property of a unit, as `systemctl show` prints it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.succeed("systemctl", "show", "--value", `--property=${name}`, unit)).trim();
  }

  /** What a unit has logged so far. */
  async journal(unit: string): Promise<string> {
    const { stdout } = await this.run("journalctl", "--no-pager", "--output=cat", "--unit", unit);
    return stdout;
  }

  /** Powers it off and boots it again, with all that was written. */
  async reboot(): Promise<void> {
    await this.#end();
    this.#init = 0;
    this.#nspawn = startNspawn(this.root, this.#network);
    await this.#booted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await takeAway(this.#directory);
  }

  #inside(): string[] {
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];
    return ["--target", String(this.#init), ...namespaces, "--"];
  }

  async #booted(): Promise<void> {
    const { pid } = this.#nspawn;
    await eventually("the system inside has booted", async () => {
      await assertRunning(pid);
      // Before it starts the init, nspawn has other children.
      const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
      this.#init = Number(children.trim().split(" ").at(-1));
      if (this.#init === 0) return false;
      const { stdout } = await this.run("systemctl", "is-system-running");
      return ["running", "degraded"].includes(stdout.trim());
    });
  }

  async #end(): Promise<void> {
    const killing = setTimeout(() => this.#nspawn.kill("SIGKILL"), POWER_OFF_MS_MAX);
    try {
      // Without an init inside there is nobody to be asked.
      if (this.#init === 0) this.#nspawn.kill("SIGKILL");
      else await run("kill", `-${POWER_OFF}`, String(this.#init));
      await this.#nspawn.status;
    } finally {
      clearTimeout(killing);
    }
  }
}

function startNspawn(root: string, network: Network): Deno.ChildProcess {
  const words = [
    // There is no machined and no systemd outside to talk to.
    ...["--register=no", "--keep-unit", "--link-journal=no"],
    ...(network === "private" ? ["--private-network"] : []),
    // Names are unique on a machine: other tests may have booted theirs.
    ...[`--directory=${root}`, `--machine=${basename(dirname(root))}`],
    ...["--bind=/dev/fuse", "--console=pipe"],
    ...["--boot", "systemd.unit=multi-user.target", "systemd.log_target=journal"],
  ];
  return new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >"$0"', `${root}/../memory/console`, NSPAWN, ...words],
    stdin: "null",
    stderr: "inherit",
  }).spawn();
}

async function assertRunning(pid: number): Promise<void> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "gone");
  if (!/^State:\s+[^ZX]/m.test(status)) throw new Error("systemd-nspawn has ended");
}

async function takeAway(directory: string): Promise<void> {
  for (const name of ["root", "memory"]) await run("umount", "--lazy", `${directory}/${name}`);
  await Deno.remove(directory, { recursive: true });
}
