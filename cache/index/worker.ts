/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * The index on a thread of its own: there SQLite may wait for the disk, and for its syncs, while
 * the event loop of the mount goes on.
 */
import { BlockIndex } from "./block_index.ts";
import { CacheDiskError } from "../disk/cache_disk_error.ts";
import type { Answer, IndexCall, IndexFailure, Question } from "./messages.ts";
import { present } from "../platform/assert.ts";
import { CommandError } from "../platform/exit.ts";
import { describeError } from "../platform/log.ts";

function answer(message: Answer): void {
  self.postMessage(message);
}

function call(index: BlockIndex, { method, args }: IndexCall): unknown {
  switch (method) {
    case "find":
      return index.find(...args);
    case "versionsOf":
      return index.versionsOf(...args);
    case "insert":
      return index.insert(...args);
    case "blocksOf":
      return index.blocksOf(...args);
    case "commit":
      return index.commit(...args);
    case "setPinned":
      return index.setPinned(...args);
    case "remove":
      return index.remove(...args);
    case "withoutRow":
      return index.withoutRow(...args);
    case "rows":
      return index.rows(...args);
    case "below":
      return index.below(...args);
    case "tally":
      return index.tally(...args);
    case "count":
      return index.count(...args);
    case "counts":
      return index.counts(...args);
    case "putJob":
      return index.putJob(...args);
    case "jobs":
      return index.jobs(...args);
    case "check":
      return index.check(...args);
    case "usage":
      return index.usage(...args);
    case "totals":
      return index.totals(...args);
    case "children":
      return index.children(...args);
    case "putListing":
      return index.putListing(...args);
    case "listing":
      return index.listing(...args);
    case "listedMs":
      return index.listedMs(...args);
    case "removeListing":
      return index.removeListing(...args);
    case "close":
      return index.close(...args);
  }
}

function describe(error: unknown): IndexFailure {
  if (error instanceof CacheDiskError) {
    const { code, operation, subject, reason } = error;
    return { kind: "disk", code, operation, subject, reason };
  }
  if (error instanceof CommandError) {
    return { kind: "refused", message: error.message, hint: error.hint };
  }
  return { kind: "bug", message: describeError(error) };
}

function serve(): void {
  let index: BlockIndex | null = null;
  self.onmessage = ({ data }: MessageEvent<Question>) => {
    const { number } = data;
    try {
      if (data.call.method === "open") {
        const [deps] = data.call.args;
        const onDamage = (reason: string) => answer({ kind: "damage", reason });
        index = BlockIndex.open({ ...deps, onDamage });
        answer({ kind: "value", number, value: index.nextId });
      } else {
        answer({ kind: "value", number, value: call(present(index, "index"), data.call) });
      }
    } catch (error) {
      answer({ kind: "failure", number, failure: describe(error) });
    }
  };
}

serve();
