/** What stays in a cache that holds half of what an epoch of several readers reads. */
import { ok } from "node:assert/strict";
import { cachePlace } from "./support/cache_process.ts";
import { succeed } from "./support/command.ts";
import { mount } from "./support/mounted.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { SeededRandom } from "./support/seeded_random.ts";

const SHARDS = 32;
const SHARD_BYTES = 4 << 20;
const READERS = 8;

Deno.test("Shuffled epochs over twice the cache hit what the cache can hold", async () => {
  await using store = await RemoteStore.start();
  const names = Array.from({ length: SHARDS }, (_, index) => `shard-${100 + index}.tar`);
  const objects = names.map((name, index) => [name, sampleBytes(SHARD_BYTES, index)] as const);
  await store.container("shards", Object.fromEntries(objects));
  await using cache = await cachePlace();
  await using mounted = await mount({
    config: {
      backends: [store.backend("shards", "direct")],
      cache: { path: cache.path, max_size: String(SHARDS * SHARD_BYTES / 2) },
    },
    variables: store.variables,
  });
  const bytesRead = async () =>
    (await mounted.metrics()).get('warpdrive_backend_bytes_read_total{backend="shards"}') ?? 0;
  const random = new SeededRandom(7);
  const shares: number[] = [];
  for (let epoch = 0; epoch < 3; epoch += 1) {
    const before = await bytesRead();
    const queue = shuffled(names, random);
    const reader = async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
        // Directly, or the kernel's own pages would answer for the cache.
        const file = `if=${mounted.path}/shards/${name}`;
        await succeed("dd", file, "of=/dev/null", "bs=1M", "iflag=direct", "status=none");
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    shares.push((await bytesRead() - before) / (SHARDS * SHARD_BYTES));
  }
  // Of each epoch after the first, half comes from the cache; a little is fetched twice.
  for (const share of shares.slice(1)) ok(share < 0.62, `read from the store: ${shares}`);
});

/** `names` in an order of their own (Fisher and Yates). */
function shuffled(names: readonly string[], random: SeededRandom): string[] {
  const order = [...names];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other] ?? "", order[last] ?? ""];
  }
  return order;
}
