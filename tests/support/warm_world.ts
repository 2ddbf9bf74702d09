/** A store of shards behind a proxy, mounted with a cache, and `ctl warm` as users run it. */
import { WARM_LIST, type WarmStatus } from "../../ctl/api_warm.ts";
import { ControlClient } from "../../ctl/client.ts";
import { programCommand } from "../cli/run_program.ts";
import { cachePlace } from "./cache_process.ts";
import { mount, type Mounted } from "./mounted.ts";
import type { RemoteStore } from "./remote_store.ts";
import { sampleBytes } from "./sample_bytes.ts";
import type { CommandResult } from "./command.ts";

const NEVER = new AbortController().signal;
/** Of a shard. */
export const SHARD_BYTES = 200_000;

/** A shard by its number. */
export function shardBytes(index: number): Uint8Array<ArrayBuffer> {
  return sampleBytes(SHARD_BYTES, index);
}

/** `train/shard-000`, `train/shard-001`, … */
export function shardNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `train/shard-${`${index}`.padStart(3, "0")}`);
}

/** A `ctl warm` that runs. */
export interface WarmCommand {
  readonly child: Deno.ChildProcess;
  /** How it ended. */
  readonly result: Promise<CommandResult>;
}

/** The mount; disposing ends it. */
export class WarmWorld implements AsyncDisposable {
  readonly mounted: Mounted;
  /** Directory of the shards in the mount. */
  readonly train: string;
  readonly #client: ControlClient;
  readonly #owned: AsyncDisposableStack;

  private constructor(mounted: Mounted, container: string, owned: AsyncDisposableStack) {
    this.mounted = mounted;
    this.train = `${mounted.path}/${container}/train`;
    this.#client = new ControlClient(`${mounted.place.root}/control/admin.sock`);
    this.#owned = owned;
  }

  /** Mounts the shards of `container`, which is made for it. */
  static async open(
    store: RemoteStore,
    container: string,
    { shards, backend = {}, cache = {}, config = {} }: {
      readonly shards: number;
      readonly backend?: Readonly<Record<string, unknown>>;
      readonly cache?: Readonly<Record<string, unknown>>;
      readonly config?: Readonly<Record<string, unknown>>;
    },
  ): Promise<WarmWorld> {
    await using owned = new AsyncDisposableStack();
    const place = owned.use(await cachePlace());
    const objects = shardNames(shards).map((name, index) => [name, shardBytes(index)] as const);
    await store.container(container, Object.fromEntries(objects));
    const mounted = owned.use(
      await mount({
        config: {
          backends: [store.backend(container, "proxied", { timeout: "3s", ...backend })],
          cache: { path: place.path, max_size: "1GiB", ...cache },
          ...config,
        },
        variables: store.variables,
      }),
    );
    return new WarmWorld(mounted, container, owned.move());
  }

  /** Starts `warpdrive ctl warm` with `args`. */
  start(...args: readonly string[]): WarmCommand {
    const child = programCommand(["ctl", "warm", ...args], "/", {}).spawn();
    return { child, result: resultOf(child) };
  }

  /** Runs it to its end. */
  async warm(...args: readonly string[]): Promise<CommandResult> {
    return await this.start(...args).result;
  }

  /** All jobs, the latest first. */
  async jobs(): Promise<readonly WarmStatus[]> {
    return (await this.#client.call(WARM_LIST, {}, NEVER)).jobs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function resultOf(child: Deno.ChildProcess): Promise<CommandResult> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
