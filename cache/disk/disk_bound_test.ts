/** A cache whose limit is more than its disk has room for, as the default one is on most disks. */
import { ok } from "node:assert/strict";
import { type Clock, systemClock } from "../platform/clock.ts";
import { CacheProcess } from "../../tests/support/cache_process.ts";
import { sampleBytes } from "../../tests/support/sample_bytes.ts";
import { cannotMount, smallDisk } from "../../tests/support/test_disk.ts";
import { WatchedBackend } from "../../tests/support/watched_backend.ts";

const MIB = 1 << 20;
const DISK_BYTES = 48 * MIB;
/** Twice what fits. */
const OBJECTS = 90;
const EPOCHS = 4;

Deno.test({
  name: "a cache that its disk bounds keeps a part of each epoch as any other does",
  ignore: cannotMount,
  async fn() {
    await using disk = await smallDisk(DISK_BYTES);
    const backend = new WatchedBackend();
    const objects = Array.from({ length: OBJECTS }, (_, number) => {
      const content = sampleBytes(MIB, number);
      return { path: `file${number}`, content, entry: backend.seed(`file${number}`, content) };
    });
    let laterMs = 0;
    const clock: Clock = {
      wallMs: () => systemClock.wallMs(),
      monotonicMs: () => systemClock.monotonicMs() + laterMs,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    };
    await using process = await CacheProcess.start(disk.path, backend, { clock });
    let fetchedBytes = 0;
    for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
      const before = backend.bytesRead;
      for (const { path, content, entry } of objects) {
        await process.readsAs(path, entry, content);
        await process.settled();
        // What the disk said of its space is not believed any more.
        laterMs += 2_000;
      }
      fetchedBytes = backend.bytesRead - before;
    }
    const hitRate = 1 - fetchedBytes / (OBJECTS * MIB);
    ok(hitRate > 0.35, `${hitRate} of the last epoch was cached`);
  },
});
