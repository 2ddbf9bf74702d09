import { deepEqual } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { ShardProgress } from "./shard_progress.ts";

const MEBIBYTE = 1024 * 1024;

/** What `count` of `total` shards of 1 MiB, one each second, write to a stream. */
async function shown(isTerminal: boolean, total: number, count: number): Promise<string[]> {
  const written: string[] = [];
  const clock = new FakeClock();
  const stderr = { isTerminal, write: (text: string) => void written.push(text) };
  {
    using progress = new ShardProgress(stderr, clock, "made", total);
    for (let shard = 0; shard < count; shard += 1) {
      await clock.advance(1_000);
      progress.add(MEBIBYTE);
    }
  }
  return written;
}

Deno.test("ShardProgress renews one line of a terminal and takes it away", async () => {
  deepEqual(await shown(true, 4, 2), [
    "\r\x1b[K[------------------------] made 0 of 4 shards, 0 B",
    "\r\x1b[K[######------------------] made 1 of 4 shards, 1 MiB, 1 MiB/s, 3s left",
    "\r\x1b[K[############------------] made 2 of 4 shards, 2 MiB, 1 MiB/s, 2s left",
    "\r\x1b[K",
  ]);
});

Deno.test("ShardProgress writes ten lines at most elsewhere, the last at the end", async () => {
  const lines = await shown(false, 100, 100);
  deepEqual(lines.length, 10);
  deepEqual(lines[0], "made 10 of 100 shards, 10 MiB, 1 MiB/s, 1.5m left\n");
  deepEqual(lines.at(-1), "made 100 of 100 shards, 100 MiB, 1 MiB/s\n");
  deepEqual((await shown(false, 3, 3)).length, 3);
});
