import { equal, match, rejects } from "node:assert/strict";
import { CommandError } from "../../cache/platform/exit.ts";
import { describeError } from "../../cache/platform/log.ts";
import { LocalBackend } from "../../cache/backend/local/backend.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { BackendTarget } from "./backend_target.ts";
import { DatasetWorkers } from "./dataset_workers.ts";
import { DirectoryTarget } from "./directory_target.ts";
import type { MakeJob } from "./jobs.ts";
import type { ShardTarget } from "./shard_target.ts";

const NEVER = new AbortController().signal;
/** A directory that takes no files, even of root. */
const REFUSING = "/proc/self";

function jobFor(target: ShardTarget): MakeJob {
  const path = target.draftPath("shard-000000.tar");
  const images = { width: 8, height: 8, classes: 1, meanBytes: 512 };
  return { kind: "make", path, seed: 1, shard: 0, samples: 1, images };
}

/** The error of writing a shard to `target`. */
async function refusal(workers: DatasetWorkers, target: ShardTarget): Promise<CommandError> {
  const error = await workers.write(jobFor(target), target, NEVER).catch((error: unknown) => error);
  if (error instanceof CommandError) return error;
  throw new Error("The error is not for the person at the terminal", { cause: error });
}

Deno.test("a shard that cannot be written is what its target says of it", async () => {
  await using workers = DatasetWorkers.onCores(1);
  const there = await refusal(workers, new DirectoryTarget(REFUSING));
  match(describeError(there), /^Cannot write shards to "\/proc\/self": .*partial'$/);
  match(there.hint ?? "", /give another place with --out$/);
  const backend = new LocalBackend("store", "/", Libc.open());
  const drafts = `${REFUSING}/drafts`;
  const stored = await refusal(workers, new BackendTarget("gs://b/d", backend, "d", drafts));
  match(
    describeError(stored),
    /^Cannot write shards for "gs:\/\/b\/d" to "\/proc\/self\/drafts": /,
  );
  equal(stored.hint, 'Make room in "/proc/self", or set TMPDIR to another directory');
});

Deno.test("a thread that crashes is no fault of the place, and gets no other job", async () => {
  const crash = 'self.onmessage = () => { throw new Error("Out of order"); };';
  const url = `data:application/javascript,${encodeURIComponent(crash)}`;
  await using workers = new DatasetWorkers(1, () => new Worker(url, { type: "module" }));
  const { message, hint } = await refusal(workers, new DirectoryTarget(REFUSING));
  match(message, /^Cannot write "\/proc\/self\/.*": its thread crashed: .*Out of order/);
  equal(hint, null);
  await rejects(
    workers.check({ kind: "check", path: "a.tar", classes: null }, NEVER),
    /^CommandError: Cannot check "a\.tar": its thread crashed: .*Out of order/,
  );
});
