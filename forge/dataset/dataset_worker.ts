/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** Writes and checks shards on a thread of its own, one at a time. */
import { hintOf } from "../../cache/platform/exit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { fileChunks } from "../train/file_chunks.ts";
import type { DatasetAnswer, DatasetJob, DatasetOrder } from "./jobs.ts";
import { packedMembers } from "./packed_shard.ts";
import { checkShard } from "./shard_check.ts";
import { writeShardFile } from "./shard_file.ts";
import { syntheticMembers } from "./synthetic_shard.ts";

/** `items`, until `stop` says otherwise: a thread that computes hears no messages. */
function* stoppable<T>(items: Iterable<T>, stop: Int32Array<SharedArrayBuffer>): Generator<T> {
  for (const item of items) {
    if (Atomics.load(stop, 0) !== 0) throw new Error("Stopped");
    yield item;
  }
}

async function work({ job, stop }: DatasetOrder): Promise<DatasetAnswer> {
  if (job.kind === "check") {
    const chunks = stoppable(fileChunks(job.path), stop);
    return { kind: "checked", report: await checkShard(chunks, job.classes) };
  }
  const skipped: string[] = [];
  let members = 0;
  const counted = function* () {
    for (const member of stoppable(membersOf(job, skipped), stop)) {
      if (member.name.endsWith(".cls")) members += 1;
      yield member;
    }
  };
  const sizeBytes = await writeShardFile(job.path, counted());
  return { kind: "written", shard: { sizeBytes, samples: members, skipped } };
}

function membersOf(job: Exclude<DatasetJob, { kind: "check" }>, skipped: string[]) {
  return job.kind === "make" ? syntheticMembers(job) : packedMembers(job, skipped);
}

self.onmessage = async ({ data }: MessageEvent<DatasetOrder>) => {
  let answer: DatasetAnswer;
  try {
    answer = await work(data);
  } catch (error) {
    answer = { kind: "failed", message: describeError(error), hint: hintOf(error) };
  }
  self.postMessage(answer);
};
