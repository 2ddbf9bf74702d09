/** A node for Ansible: a booted system that knows nothing of WarpDrive, with an sshd. */
import { join } from "node:path/posix";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { BootedSystem } from "./booted_system.ts";
import { type CommandResult, succeed } from "./command.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";

const PLAYBOOKS = join(REPOSITORY, "infra", "ansible");
/** Where the node has what its sshd needs. */
const SSH = "/opt/test-ssh";

/** A run of a playbook. */
export interface Play {
  readonly code: number;
  /** Everything it printed. */
  readonly text: string;
  /** Tasks that changed something, and that failed. */
  readonly changed: number;
  readonly failed: number;
}

/** The node; disposing shuts it down. */
export class AnsibleTarget implements AsyncDisposable {
  readonly system: BootedSystem;
  /** Files of the machine that runs Ansible. */
  readonly directory: string;
  readonly #owned: AsyncDisposableStack;
  #said = "";

  private constructor(system: BootedSystem, directory: string, owned: AsyncDisposableStack) {
    this.system = system;
    this.directory = directory;
    this.#owned = owned;
  }

  /** Boots it; `prepare` is handed the root file system before that. */
  static async boot(prepare: (root: string) => Promise<void>): Promise<AnsibleTarget> {
    await using owned = new AsyncDisposableStack();
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-ansible-" });
    owned.defer(() => Deno.remove(directory, { recursive: true }));
    const port = freePort();
    const system = owned.use(
      await BootedSystem.boot(async (root) => {
        await prepare(root);
        // Of the machine outside. bash reads it for every command over SSH, and Ansible runs many.
        await Deno.remove(`${root}/root/.bashrc`).catch(ignoreAbsence);
        await Deno.mkdir(`${root}${SSH}`, { recursive: true });
        await makeKey(`${root}${SSH}/host`);
        await makeKey(`${directory}/id`);
        await Deno.copyFile(`${directory}/id.pub`, `${root}${SSH}/authorized`);
        await Deno.writeTextFile(`${root}${SSH}/config`, sshdConfig(port));
      }, "shared"),
    );
    await system.succeed("mkdir", "-p", "/run/sshd");
    const daemon = ["/usr/sbin/sshd", "-D", "-f", `${SSH}/config`];
    await system.succeed("systemd-run", "--quiet", "--unit=test-sshd", ...daemon);
    await eventually("sshd listens", () => listens(port));
    const key = (await Deno.readTextFile(`${system.root}${SSH}/host.pub`)).trim();
    await Deno.writeTextFile(`${directory}/known`, `[127.0.0.1]:${port} ${key}\n`);
    await Deno.writeTextFile(`${directory}/inventory`, inventory(directory, port));
    return new AnsibleTarget(system, directory, owned.move());
  }

  /** All that Ansible has printed so far. */
  get said(): string {
    return this.#said;
  }

  /** Runs a playbook of `infra/ansible` with `variables`. */
  async play(
    playbook: string,
    variables: Readonly<Record<string, unknown>>,
    ...args: readonly string[]
  ): Promise<Play> {
    const file = `${this.directory}/variables.json`;
    await Deno.writeTextFile(file, JSON.stringify(variables));
    const { code, stdout, stderr } = await this.#ansible([
      playbook,
      ...["--inventory", `${this.directory}/inventory`, "--extra-vars", `@${file}`, ...args],
    ]);
    const text = stdout + stderr;
    this.#said += text;
    const count = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1]);
    return { code, text, changed: count("changed"), failed: count("failed") };
  }

  /**
   * What was written to the node since it was booted, a line for each entry, but for logs and for
   * what the machine outside has as well.
   */
  async traces(): Promise<readonly string[]> {
    const written = `${this.system.root}/../memory/upper`;
    const format = "%P\\t%y %m %s %l\\n";
    const lines = (await succeed("find", written, "-mindepth", "1", "-printf", format)).split("\n");
    return lines.filter((line) => {
      const [path = "", facts = ""] = line.split("\t");
      // The last one is Ansible's own.
      if (
        path === "" ||
        /^(var\/log|var\/lib\/systemd|tmp|run|root\/\.ansible)(\/|$)/.test(path)
      ) {
        return false;
      }
      return !isSame(path, facts, written);
    }).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async #ansible(args: readonly string[]): Promise<CommandResult> {
    const { code, stdout, stderr } = await new Deno.Command("ansible-playbook", {
      args: [...args],
      cwd: PLAYBOOKS,
      stdin: "null",
      env: {
        ...{ HOME: this.directory, ANSIBLE_CONFIG: `${PLAYBOOKS}/ansible.cfg` },
        ...{ ANSIBLE_NOCOLOR: "1", PYTHONDONTWRITEBYTECODE: "1", LC_ALL: "C.UTF-8" },
      },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function makeKey(path: string): Promise<void> {
  await succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path);
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Whether the machine outside has an entry like this one, which was touched and is as it was. */
function isSame(path: string, facts: string, written: string): boolean {
  try {
    const there = Deno.lstatSync(`/${path}`);
    if (facts.startsWith("d")) return there.isDirectory;
    return facts.startsWith("f") && there.isFile &&
      Deno.readTextFileSync(`/${path}`) === Deno.readTextFileSync(`${written}/${path}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function sshdConfig(port: number): string {
  return [
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${SSH}/host`],
    ...[`AuthorizedKeysFile ${SSH}/authorized`, "PidFile none", "UsePAM no", "StrictModes no"],
    ...["PasswordAuthentication no", "PermitRootLogin prohibit-password"],
    ...["Subsystem sftp internal-sftp", ""],
  ].join("\n");
}

function inventory(directory: string, port: number): string {
  const settings = [
    ...["ansible_host=127.0.0.1", `ansible_port=${port}`, "ansible_user=root"],
    `ansible_ssh_private_key_file=${directory}/id`,
    "ansible_python_interpreter=/usr/bin/python3",
    `ansible_ssh_common_args='-o UserKnownHostsFile=${directory}/known'`,
  ];
  return `[compute_nodes]\nnode1 ${settings.join(" ")}\n`;
}
