/** Shards in a store: written to a temporary directory, then uploaded from there. */
import { dirname, join } from "node:path/posix";
import { type Backend, type Content, joinPath } from "../../cache/backend/backend.ts";
import { NO_HEDGE_MEMORY } from "../../cache/backend/guard/hedged.ts";
import { openBackend } from "../../cache/backend/open.ts";
import type { CommandContext } from "../../cache/platform/cli.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { backendFromUrl } from "../../cache/source_url.ts";
import { SHARD_NAME } from "../train/shards.ts";
import { DirectoryTarget } from "./directory_target.ts";
import type { ShardTarget } from "./shard_target.ts";

/** Bytes of a draft in memory at a time. */
const READ_BYTES = 1024 * 1024;

/**
 * The target that `url` names, below it `directory`.
 *
 * @throws {CommandError} `usage` when the URL or a credential in the environment is no good.
 */
export async function openUrlTarget(
  url: string,
  directory: string,
  { env, clock, random, logger }: CommandContext,
): Promise<ShardTarget> {
  const settings = backendFromUrl({ url, action: "write to" }, {
    env,
    readTextFile: (path) => Deno.readTextFileSync(path),
  });
  if (settings.source.type === "local") {
    return new DirectoryTarget(join(settings.source.root, directory));
  }
  const metrics = {
    request: () => undefined,
    error: () => undefined,
    bytesRead: () => undefined,
    hedge: () => undefined,
    authRefresh: () => undefined,
  };
  await using opened = new AsyncDisposableStack();
  const { backend } = await openBackend(settings, {
    clock,
    random,
    logger,
    metrics,
    libc: Libc.open(),
    hedges: NO_HEDGE_MEMORY,
  });
  opened.use(backend);
  const temporary = env.get("TMPDIR") ?? "/tmp";
  const drafts = await Deno.makeTempDir({ dir: temporary, prefix: "warpdrive-dataset-" });
  opened.move();
  return new BackendTarget(`${url.replace(/\/$/, "")}/${directory}`, backend, directory, drafts);
}

/** A directory of a backend. Owns the backend, and the directory of drafts. */
export class BackendTarget implements ShardTarget {
  readonly place: string;
  readonly #backend: Backend;
  readonly #directory: string;
  readonly #drafts: string;

  constructor(place: string, backend: Backend, directory: string, drafts: string) {
    this.place = place;
    this.#backend = backend;
    this.#directory = directory;
    this.#drafts = drafts;
  }

  async existing(signal: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    let token: string | null = null;
    do {
      const { entries, next } = await this.#backend.list(this.#directory, token, signal);
      for (const { name } of entries) if (SHARD_NAME.test(name)) names.push(name);
      token = next;
    } while (token !== null);
    return names.sort();
  }

  prepare(): Promise<void> {
    // Stores make directories with the first object in them.
    return Promise.resolve();
  }

  draftPath(name: string): string {
    return join(this.#drafts, name);
  }

  notWritable(cause: Error): CommandError {
    return new CommandError(
      "failed",
      `Cannot write shards for "${this.place}" to "${this.#drafts}"`,
      `Make room in "${dirname(this.#drafts)}", or set TMPDIR to another directory`,
      { cause },
    );
  }

  async publish(name: string, signal: AbortSignal): Promise<void> {
    const path = this.draftPath(name);
    const { size: sizeBytes } = await Deno.stat(path);
    const content = { sizeBytes, open: () => fileContent(path) };
    await this.#backend.put(joinPath(this.#directory, name), content, signal);
    await Deno.remove(path);
  }

  async writeText(name: string, text: string, signal: AbortSignal): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    const content: Content = {
      sizeBytes: bytes.length,
      async *open() {
        yield await Promise.resolve(bytes);
      },
    };
    await this.#backend.put(joinPath(this.#directory, name), content, signal);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#backend.remove(joinPath(this.#directory, name), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backend[Symbol.asyncDispose]();
    await Deno.remove(this.#drafts, { recursive: true });
  }
}

async function* fileContent(path: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  while (true) {
    const chunk = new Uint8Array(READ_BYTES);
    const bytes = await file.read(chunk);
    if (bytes === null) return;
    yield chunk.subarray(0, bytes);
  }
}
