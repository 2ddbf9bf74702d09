/**
 * The program as a user without rights runs it, tested by root: in a mount namespace of its own,
 * where that user may open /dev/fuse and reach what the program is made of.
 */
import { basename, dirname } from "node:path/posix";
import { parseMountTable } from "../../cache/platform/mount_table.ts";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { programWords } from "../cli/run_program.ts";
import { type CommandResult, succeed } from "./command.ts";
import type { Place } from "./place.ts";
import { Program } from "./program.ts";

/** `nobody` of every Linux. */
export const USER_ID = 65_534;

/** Device numbers of /dev/fuse are the same everywhere (Documentation/admin-guide/devices.txt). */
const PREPARE = `
set -e
place=$1 program=$2 cache=$3 repository=$4 device_mode=$5 deno=$6
mkdir "$place/device" "$place/program" "$place/cache" "$place/repository" "$place/deno"
mount -t tmpfs -o mode=755 tmpfs "$place/device"
mknod -m "$device_mode" "$place/device/fuse" c 10 229
mount --bind "$place/device/fuse" /dev/fuse
touch "$place/device/fuse.conf"
if test -e /etc/fuse.conf; then mount --bind "$place/device/fuse.conf" /etc/fuse.conf; fi
mount --bind "$program" "$place/program"
mount --bind "$cache" "$place/cache"
mount --bind "$deno" "$place/deno"
mount --bind "$repository" "$place/repository"
chown ${USER_ID} "$place/mount"
echo prepared
exec sleep infinity
`;

/** A namespace and the user in it; disposing ends both, and every mount in it. */
export class OrdinaryUser implements AsyncDisposable {
  readonly #place: Place;
  readonly #namespace: Deno.ChildProcess;

  private constructor(place: Place, namespace: Deno.ChildProcess) {
    this.#place = place;
    this.#namespace = namespace;
  }

  /** Prepares the namespace. `deviceMode` is who may open /dev/fuse, in octal. */
  static async enter(place: Place, deviceMode = "666"): Promise<OrdinaryUser> {
    const { denoDir } = JSON.parse(await succeed(Deno.execPath(), "info", "--json"));
    const [program] = programWords();
    const paths = [place.root, dirname(program), String(denoDir), REPOSITORY];
    const args = [...paths, deviceMode, dirname(Deno.execPath())];
    const namespace = new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", PREPARE, "sh", ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = namespace.stdout.getReader();
    const { done } = await reader.read();
    await reader.cancel();
    if (done) throw new Error("Cannot prepare a mount namespace: the shell ended");
    return new OrdinaryUser(place, namespace);
  }

  /** Starts `warpdrive` as the user. */
  start(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Program {
    return Program.follow(this.#command([...this.#words(), ...args], variables));
  }

  /** Runs `warpdrive` as the user, to its end. */
  async warpdrive(...args: string[]): Promise<CommandResult> {
    return await this.run(...this.#words(), ...args);
  }

  /** Runs another program as the user. */
  async run(...words: readonly string[]): Promise<CommandResult> {
    return await finish(this.#command(words, {}));
  }

  /** Runs another program in the namespace as root. */
  async runAsRoot(...words: readonly string[]): Promise<CommandResult> {
    return await finish(this.#inNamespace(words));
  }

  /** What is mounted at the place's mount point, by file system type. */
  async mounted(): Promise<readonly string[]> {
    const table = await Deno.readTextFile(`/proc/${this.#namespace.pid}/mountinfo`);
    return parseMountTable(table)
      .filter(({ mountPoint }) => mountPoint === this.#place.mountPoint)
      .map(({ type }) => type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#namespace.kill("SIGKILL");
    await this.#namespace.status;
  }

  #words(): readonly string[] {
    const [program, ...rest] = programWords();
    const { root } = this.#place;
    return [
      `${root}/program/${basename(program)}`,
      ...rest.map((word) => word.replace(REPOSITORY, `${root}/repository`)),
    ];
  }

  #command(
    words: readonly string[],
    variables: Readonly<Record<string, string>>,
  ): Deno.Command {
    const { root } = this.#place;
    const environment = {
      ...{ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", NO_COLOR: "1" },
      ...{ HOME: root, DENO_DIR: `${root}/cache` },
      ...variables,
    };
    return this.#inNamespace([
      ...["setpriv", `--reuid=${USER_ID}`, `--regid=${USER_ID}`, "--clear-groups", "--"],
      ...["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
      ...words,
    ]);
  }

  #inNamespace(words: readonly string[]): Deno.Command {
    return new Deno.Command("nsenter", {
      args: ["--target", String(this.#namespace.pid), "--mount", "--", ...words],
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

async function finish(command: Deno.Command): Promise<CommandResult> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
