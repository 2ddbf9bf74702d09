import assert from "node:assert/strict";
import { pack } from "tar-stream";
import { eventually } from "../../tests/support/eventually.ts";
import { ShardLoader } from "./shard_loader.ts";
import type { Shard } from "./shards.ts";

const NEVER = new AbortController().signal;

/** Writes a shard of `count` samples, keyed by the shard's number and theirs. */
async function writeShard(directory: string, number: number, count: number): Promise<Shard> {
  const packed = pack();
  for (let sample = 0; sample < count; sample += 1) {
    packed.entry({ name: `${number}-${sample}.jpg` }, `image ${number} ${sample}`);
    packed.entry({ name: `${number}-${sample}.cls` }, String(sample % 10));
  }
  packed.finalize();
  const name = `shard-${String(number).padStart(6, "0")}.tar`;
  await using file = await Deno.open(`${directory}/${name}`, { write: true, create: true });
  let sizeBytes = 0;
  for await (const part of packed) {
    assert.ok(part instanceof Uint8Array);
    sizeBytes += await file.write(part);
  }
  return { path: `${directory}/${name}`, name, sizeBytes };
}

/** Runs `body` with eight shards: the first large, so that a later one is ready before it. */
async function withShards(body: (shards: readonly Shard[]) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-loader-" });
  try {
    const shards: Shard[] = [];
    for (let number = 0; number < 8; number += 1) {
      shards.push(await writeShard(directory, number, number === 0 ? 900 : 30));
    }
    await body(shards);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function* endless(shards: readonly Shard[]): Generator<Shard, never> {
  while (true) yield* shards;
}

function loaderOf(
  order: Generator<Shard, never>,
  workers: number,
  readAheadBytes: number,
): ShardLoader {
  return new ShardLoader(order, { workers, readAheadBytes, onConsumed: () => {} });
}

/** The keys of the first `count` samples that come out. */
async function keysOf(
  shards: readonly Shard[],
  workers: number,
  readAheadBytes: number,
  count: number,
): Promise<string[]> {
  using loader = loaderOf(endless(shards), workers, readAheadBytes);
  const keys: string[] = [];
  for await (const chunk of loader.chunks(NEVER)) {
    keys.push(...chunk.keys);
    if (keys.length >= count) break;
  }
  return keys.slice(0, count);
}

Deno.test("ShardLoader hands samples on in the order of shards, whatever the workers", async () => {
  await withShards(async (shards) => {
    const expected = [...shards, ...shards].flatMap((_, turn) => {
      const number = turn % shards.length;
      return Array.from({ length: number === 0 ? 900 : 30 }, (_, sample) => `${number}-${sample}`);
    });
    for (const [workers, bytes] of [[1, 1], [2, 1e9], [8, 1e9], [8, 100_000]] as const) {
      const keys = await keysOf(shards, workers, bytes, expected.length);
      assert.deepEqual(keys, expected, `${workers} workers, ${bytes} bytes`);
    }
  });
});

/** The order of `shards`, endless, with the names of those that were drawn from it. */
function watchedOrder(shards: readonly Shard[]) {
  const drawn: string[] = [];
  const order = function* (): Generator<Shard, never> {
    for (const shard of endless(shards)) {
      drawn.push(shard.name);
      yield shard;
    }
    throw new Error("An endless order has ended");
  };
  return { drawn, order: order() };
}

Deno.test("ShardLoader begins a shard for each worker before the first sample comes", async () => {
  await withShards(async (shards) => {
    const { drawn, order } = watchedOrder(shards);
    using loader = loaderOf(order, 4, 1e9);
    const first = loader.chunks(NEVER).next();
    // Those of the four workers, and the one that waits to be begun.
    assert.deepEqual(drawn, shards.slice(0, 5).map(({ name }) => name));
    await first;
  });
});

Deno.test("ShardLoader gives a free worker the next shard while another is read", async () => {
  await withShards(async (shards) => {
    const { drawn, order } = watchedOrder(shards);
    using loader = loaderOf(order, 2, 1e9);
    await loader.chunks(NEVER).next();
    // The first shard is not consumed: only the end of a later one begins more.
    await eventually("all shards are begun", () => Promise.resolve(drawn.length > shards.length));
  });
});

Deno.test("ShardLoader begins no shard beyond its bound, and always one", async () => {
  await withShards(async (shards) => {
    const three = shards.slice(0, 3).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const [bytes, begun] of [[1, 1], [three - 1, 2], [three, 3]] as const) {
      const { drawn, order } = watchedOrder(shards);
      using loader = loaderOf(order, 8, bytes);
      await loader.chunks(NEVER).next();
      // Those that are read, and the one that waits to be begun.
      assert.deepEqual(drawn, shards.slice(0, begun + 1).map(({ name }) => name), `${bytes} bytes`);
    }
  });
});

Deno.test("ShardLoader says how many samples each shard had when it is consumed", async () => {
  await withShards(async ([large, ...small]) => {
    assert.ok(large !== undefined);
    const consumed: number[] = [];
    using loader = new ShardLoader(endless([large, ...small]), {
      workers: 4,
      readAheadBytes: 1e9,
      onConsumed: (samples) => consumed.push(samples),
    });
    let samples = 0;
    for await (const chunk of loader.chunks(NEVER)) {
      samples += chunk.keys.length;
      if (samples >= 1_000) break;
    }
    assert.deepEqual(consumed, [900, 30, 30, 30]);
  });
});

Deno.test("ShardLoader fails at the turn of a shard that cannot be read, not before", async () => {
  await withShards(async (shards) => {
    const [first, second] = shards;
    assert.ok(first !== undefined && second !== undefined);
    await Deno.truncate(second.path, 700);
    using loader = loaderOf(endless(shards), 2, 1e9);
    let samples = 0;
    await assert.rejects(async () => {
      for await (const chunk of loader.chunks(NEVER)) samples += chunk.keys.length;
    }, /Cannot train from shard ".*shard-000001\.tar": cut short: it ends at byte 700/);
    assert.equal(samples, 900);
  });
});

Deno.test("ShardLoader ends when it is told to while it waits", async () => {
  await withShards(async (shards) => {
    const fifo = { path: `${shards[0]?.path}.fifo`, name: "fifo", sizeBytes: 1 };
    await new Deno.Command("mkfifo", { args: [fifo.path] }).output();
    const stop = new AbortController();
    using loader = loaderOf(endless([fifo]), 1, 1);
    const waiting = loader.chunks(stop.signal).next();
    stop.abort(new Error("Stopped"));
    await assert.rejects(waiting, /Stopped/);
    // The worker's blocked open ends with a writer, so that its thread can go.
    (await Deno.open(fifo.path, { read: true, write: true })).close();
  });
});
