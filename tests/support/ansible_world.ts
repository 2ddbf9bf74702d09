/** A node on which the role of Ansible is tried, with a store and the variables of a site. */
import { deepEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { AnsibleTarget, type Play } from "./ansible_target.ts";
import { freePort } from "./free_port.ts";
import { binaryPath } from "./installed_agent.ts";
import { LoopDisk } from "./loop_disk.ts";
import { RemoteStore } from "./remote_store.ts";
import { sampleBytes } from "./sample_bytes.ts";

/** What the program of `otherProgram` says it is. */
export const OTHER_VERSION = "9.1.0";
/** A secret with every character that an environment file might take for its own. */
export const ODD_SECRET = `a"b\\c $d \`e\` 'f' %n #g`;
const OBJECT = sampleBytes(500_000, 1);

/** The node; disposing shuts it down, and the store. */
export class AnsibleWorld implements AsyncDisposable {
  readonly target: AnsibleTarget;
  /** What a site would have in its inventory. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly secret: string;
  /** The empty disk of the node. */
  readonly disk: string;
  /** What is on the node before Ansible has seen it. */
  readonly before: readonly string[];
  readonly #owned: AsyncDisposableStack;

  private constructor(
    { target, variables, secret, disk, before, owned }: {
      readonly target: AnsibleTarget;
      readonly variables: Readonly<Record<string, unknown>>;
      readonly secret: string;
      readonly disk: string;
      readonly before: readonly string[];
      readonly owned: AsyncDisposableStack;
    },
  ) {
    this.target = target;
    this.variables = variables;
    this.secret = secret;
    this.disk = disk;
    this.before = before;
    this.#owned = owned;
  }

  /** Boots the node, whose tree will be a local directory and a store. */
  static async open(): Promise<AnsibleWorld> {
    await using owned = new AsyncDisposableStack();
    const store = owned.use(await RemoteStore.start());
    await store.container("store", { "train/shard-0": OBJECT });
    const [secret = ""] = Object.values(store.variables);
    const target = owned.use(
      await AnsibleTarget.boot(async (root) => {
        await Deno.mkdir(`${root}/srv/data`, { recursive: true });
        await Deno.writeTextFile(`${root}/srv/data/file`, "content");
      }),
    );
    const disk = owned.use(await LoopDisk.attach(`${target.directory}/disk`, target.system));
    // Others may build a new one meanwhile.
    const program = `${target.directory}/warpdrive`;
    await Deno.copyFile(binaryPath(), program);
    const variables = {
      warpdrive_backends: [
        { name: "data", type: "local", config: { root: "/srv/data" } },
        store.backend("store", "direct"),
      ],
      warpdrive_environment: { ...store.variables, ODD_SECRET },
      warpdrive_metrics_addr: `127.0.0.1:${freePort()}`,
      warpdrive_cache_max_size: "64MiB",
      warpdrive_cache_disk_gib_min: 0,
      warpdrive_format_device: disk.path,
      warpdrive_binary: program,
      warpdrive_sha256: sha256(await Deno.readFile(program)),
      warpdrive_drain_seconds: 5,
      warpdrive_slurm: true,
      warpdrive_slurm_settings: { WARM_WORKERS: 16 },
    };
    const before = await target.traces();
    const facts = { target, variables, secret, disk: disk.path, before };
    return new AnsibleWorld({ ...facts, owned: owned.move() });
  }

  /** Runs site.yaml with the variables, but for `changes`. */
  apply(changes: Readonly<Record<string, unknown>>, ...args: readonly string[]): Promise<Play> {
    return this.target.play("site.yaml", { ...this.variables, ...changes }, ...args);
  }

  /** Variables of a program of another version: the same, but for the version it says it has. */
  async otherProgram(): Promise<Readonly<Record<string, string>>> {
    const path = `${this.target.directory}/other`;
    const bytes = await Deno.readFile(`${this.target.directory}/warpdrive`);
    const at = indexOf(bytes, new TextEncoder().encode('"0.1.0"'));
    bytes.set(new TextEncoder().encode(`"${OTHER_VERSION}"`), at);
    await Deno.writeFile(path, bytes, { mode: 0o755 });
    return {
      warpdrive_binary: path,
      warpdrive_sha256: sha256(bytes),
      warpdrive_version: OTHER_VERSION,
    };
  }

  /** What the mount says of itself. */
  async status(): Promise<{ readonly openFiles: number; readonly version: string }> {
    const { system } = this.target;
    const text = await system.succeed("warpdrive", "ctl", "status", "--format=json", "/wd");
    const { mount } = JSON.parse(text);
    return { openFiles: Number(mount.open_files), version: String(mount.version) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** Checksum of the object `/wd/store/train/shard-0`. */
export const OBJECT_SHA256 = sha256(OBJECT);

/** Throws unless the play succeeded. */
export function succeeded({ code, failed, text }: Play): void {
  deepEqual({ code, failed }, { code: 0, failed: 0 }, text);
}

/** The numbers of a play. */
export function outcome({ code, changed, failed }: Play) {
  return { code, changed, failed };
}

function indexOf(bytes: Uint8Array, text: Uint8Array): number {
  for (let at = bytes.indexOf(text[0] ?? 0); at !== -1; at = bytes.indexOf(text[0] ?? 0, at + 1)) {
    if (text.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  throw new Error("The program does not say its version");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
