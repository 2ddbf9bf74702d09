/** Where shards are written to. */
import type { CommandError } from "../../cache/platform/exit.ts";

/** A place for one data set, or for its even or odd shards. */
export interface ShardTarget extends AsyncDisposable {
  /** As messages show it. */
  readonly place: string;
  /** Shards that are there, and drafts that another run left or is writing. */
  existing(signal: AbortSignal): Promise<readonly string[]>;
  /** Makes room for drafts. */
  prepare(): Promise<void>;
  /** A path on this machine where shard `name` can be written; nothing is there. */
  draftPath(name: string): string;
  /** The error about a draft that could not be written, and what to do about it. */
  notWritable(cause: Error): CommandError;
  /** Makes the draft of shard `name` visible under that name, whole. */
  publish(name: string, signal: AbortSignal): Promise<void>;
  /** Writes a small file beside the shards. */
  writeText(name: string, text: string, signal: AbortSignal): Promise<void>;
  /** Removes a shard, or a draft of another run. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}
