/** Shards in a directory: written beside their place, then renamed into it. */
import { join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import { SHARD_NAME } from "../train/shards.ts";
import { draftName, isDraftName } from "./names.ts";
import type { ShardTarget } from "./shard_target.ts";

/** The error about a directory, `place`, that takes no shards; `reason` ends its sentence. */
function notWritable(place: string, reason: string, options: ErrorOptions): CommandError {
  const hint = "Make room there, let this user write there, or give another place with --out";
  return new CommandError("failed", `Cannot write shards to "${place}"${reason}`, hint, options);
}

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
      if (error instanceof Deno.errors.NotADirectory) {
        throw notWritable(this.place, ": it is no directory", {});
      }
      if (signal.aborted) throw error;
      throw notWritable(this.place, ": it cannot be listed", { cause: error });
    }
    return names.sort();
  }

  async prepare(): Promise<void> {
    try {
      await Deno.mkdir(this.place, { recursive: true });
    } catch (cause) {
      throw notWritable(this.place, ": it cannot be made", { cause });
    }
  }

  draftPath(name: string): string {
    const path = join(this.place, draftName(name));
    this.#drafts.add(path);
    return path;
  }

  notWritable(cause: Error): CommandError {
    return notWritable(this.place, "", { cause });
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
