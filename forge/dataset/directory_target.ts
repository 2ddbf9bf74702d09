/** Shards in a directory: written beside their place, then renamed into it. */
import { join } from "node:path/posix";
import { SHARD_NAME } from "../train/shards.ts";
import { draftName, isDraftName } from "./names.ts";
import type { ShardTarget } from "./shard_target.ts";

/** One directory. */
export class DirectoryTarget implements ShardTarget {
  readonly place: string;
  /** Drafts handed out and not published. */
  readonly #drafts = new Set<string>();

  /** `path` is absolute and need not exist yet. */
  constructor(path: string) {
    this.place = path;
  }

  async existing(signal: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.place)) {
        signal.throwIfAborted();
        if (SHARD_NAME.test(name) || isDraftName(name)) names.push(name);
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    return names.sort();
  }

  async prepare(): Promise<void> {
    await Deno.mkdir(this.place, { recursive: true });
  }

  draftPath(name: string): string {
    const path = join(this.place, draftName(name));
    this.#drafts.add(path);
    return path;
  }

  async publish(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const draft = join(this.place, draftName(name));
    await Deno.rename(draft, join(this.place, name));
    this.#drafts.delete(draft);
  }

  async writeText(name: string, text: string, signal: AbortSignal): Promise<void> {
    await Deno.writeTextFile(join(this.place, name), text, { signal });
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await removeIfThere(join(this.place, name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const draft of this.#drafts) await removeIfThere(draft);
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
