/** The stores and mounts that the sentences of SEMANTICS.md are tried on. */
import type { ContainerClient } from "@azure/storage-blob";
import { Mounted } from "../support/mounted.ts";
import { createPlace } from "../support/place.ts";
import { Posix } from "../support/posix.ts";
import { RemoteStore } from "../support/remote_store.ts";
import { sampleBytes } from "../support/sample_bytes.ts";

/** A promise to users, and what shows that it is kept. */
export interface Sentence {
  readonly text: string;
  readonly needs: "anybody" | "root" | "passthrough";
  readonly check: (world: World) => Promise<void>;
}

/** A sentence, which not everybody may be able to try. */
export function sentence(
  text: string,
  check: Sentence["check"],
  needs: Sentence["needs"] = "anybody",
): Sentence {
  return { text, needs, check };
}

/** Larger than what the kernel reads ahead. */
export const LARGE_BYTES = 4 << 20;
/** An offset that is not in the page cache after the first page was read. */
export const LATER = 3 << 20;

/** Bytes of which every version is different everywhere. */
export function version(seed: number): Uint8Array<ArrayBuffer> {
  return sampleBytes(LARGE_BYTES, seed);
}

/** One store and two mounts of it. */
export class World implements AsyncDisposable {
  /** As by default. */
  readonly usual: Mounted;
  /** Asks for metadata always, and leaves no file to the kernel. */
  readonly strict: Mounted;
  /** The container behind `store`, past both mounts. */
  readonly container: ContainerClient;
  /** The way to the container behind `failing`, which tests block. */
  readonly remote: RemoteStore;
  /** The directory behind `files`. */
  readonly source: string;
  readonly posix = new Posix();
  readonly #owned: AsyncDisposableStack;

  private constructor(
    usual: Mounted,
    strict: Mounted,
    container: ContainerClient,
    remote: RemoteStore,
    owned: AsyncDisposableStack,
  ) {
    this.usual = usual;
    this.strict = strict;
    this.container = container;
    this.remote = remote;
    this.source = usual.place.source;
    this.#owned = owned;
  }

  static async start(): Promise<World> {
    await using owned = new AsyncDisposableStack();
    const remote = owned.use(await RemoteStore.start());
    const container = await remote.container("store", {});
    await remote.container("failing", { file: version(1) });
    const place = owned.use(await createPlace());
    await Deno.mkdir(`${place.source}/sub`);
    await Deno.writeTextFile(`${place.source}/sub/inner`, "inner");
    const config = { backends: backendsOf(remote, place.source) };
    const { variables } = remote;
    const usual = owned.use(await Mounted.start(place, { config, variables }));
    const elsewhere = owned.use(await createPlace());
    const strict = owned.use(
      await Mounted.start(elsewhere, {
        config: { ...config, cache: { stale_ttl: "0" }, fuse: { passthrough: false } },
        variables,
      }),
    );
    return new World(usual, strict, container, remote, owned.move());
  }

  /** Writes an object into `store`. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.container.getBlockBlobClient(key).upload(bytes, bytes.length);
  }

  async delete(key: string): Promise<void> {
    await this.container.deleteBlob(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.posix[Symbol.dispose]();
    await this.#owned.disposeAsync();
  }
}

function backendsOf(remote: RemoteStore, source: string): readonly Record<string, unknown>[] {
  return [
    { name: "files", type: "local", config: { root: source } },
    remote.backend("store", "direct"),
    remote.backend("failing", "proxied", { timeout: "1s" }),
    {
      name: "inner",
      type: "local",
      mount_path: "store/nested/deep",
      config: { root: `${source}/sub` },
    },
  ];
}

/** Names in the directory at `path`, sorted. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

/** One page read at `offset`, or the error number. */
export async function readAt(
  { posix }: World,
  fd: number,
  offset: number,
): Promise<Uint8Array | number> {
  try {
    return await posix.read(fd, offset, 4096);
  } catch (error) {
    if (error instanceof Error && "errno" in error) return Number(error.errno);
    throw error;
  }
}
