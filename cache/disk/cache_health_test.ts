import { deepEqual, equal } from "node:assert/strict";
import { collectedLog } from "../../tests/support/collected_log.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { CacheDiskError } from "./cache_disk_error.ts";
import { CacheHealth } from "./cache_health.ts";
import { TaskGroup } from "../platform/limit.ts";

/** A health whose disk works as `disk.works` says. */
function watched() {
  const clock = new FakeClock();
  const { logger, records } = collectedLog();
  const closing = new AbortController();
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  const disk = { works: false, probes: 0 };
  const directory = {
    probe: () => {
      disk.probes += 1;
      const error = new CacheDiskError("full", "write to", "/cache", "no space is left");
      return disk.works ? Promise.resolve() : Promise.reject(error);
    },
  };
  const health = new CacheHealth({ directory, clock, logger, tasks, signal: closing.signal });
  return { health, clock, disk, closing, tasks, messages: () => records.map((r) => r["message"]) };
}

const FULL = new CacheDiskError("full", "write", "/cache/data/00/1", "no space is left");

Deno.test("CacheHealth bypasses a disk that failed until a probe succeeds", async () => {
  const { health, clock, disk, tasks, messages } = watched();
  await clock.advance(5_000);
  health.failed(FULL);
  deepEqual(health.state, { kind: "bypassed", sinceMs: 5_000, reason: "no space is left" });
  await clock.advance(3_500);
  equal(disk.probes, 3);
  equal(health.state.kind, "bypassed");
  disk.works = true;
  await clock.advance(1_000);
  equal(health.state.kind, "working");
  await tasks.settled();
  deepEqual(messages(), [
    "Read past the cache: its disk failed",
    "Keep what is read again: the disk of the cache works",
  ]);
});

Deno.test("CacheHealth says once that a disk failed, however many calls tell", async () => {
  const { health, clock, disk, messages } = watched();
  for (let call = 0; call < 100; call += 1) health.failed(FULL);
  equal(messages().length, 1);
  disk.works = true;
  await clock.advance(1_000);
  equal(disk.probes, 1);
  health.failed(FULL);
  equal(health.state.kind, "bypassed");
  disk.works = true;
  await clock.advance(1_000);
  equal(health.state.kind, "working");
});

Deno.test("CacheHealth ends with its cache, and ignores what fails then", async () => {
  const { health, clock, closing, tasks, disk, messages } = watched();
  health.failed(FULL);
  closing.abort();
  await clock.settle();
  await tasks.settled();
  equal(disk.probes, 0);
  const after = watched();
  after.closing.abort();
  after.health.failed(FULL);
  equal(after.health.state.kind, "working");
  deepEqual([messages().length, after.messages().length], [1, 0]);
});
