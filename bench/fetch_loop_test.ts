import { deepEqual, equal, rejects } from "node:assert/strict";
import { systemClock } from "../cache/platform/clock.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import { createPlace } from "../tests/support/place.ts";
import { fetchLoop } from "./fetch_loop.ts";
import { Origin, rangeOf } from "./origin.ts";

const SIZE = 5_000_000;

/** An origin in this process. */
function serving() {
  const shape = { latencyMs: 0, bytesPerSecond: Infinity };
  const origin = new Origin(shape, "seed", systemClock, new AbortController().signal);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  tasks.add((async () => {
    for await (const connection of listener) tasks.add(origin.serve(connection));
  })());
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    [Symbol.dispose]: () => listener.close(),
  };
}

function load(url: string, streams: number, keptIn: string | null = null) {
  return {
    url,
    sizeBytes: SIZE,
    streams,
    requestBytes: 1_000_000,
    pattern: "sequential",
    keptIn,
  } as const;
}

Deno.test({
  name: "the bare loop reads every byte of a blob of the origin once, and can keep it",
  sanitizeResources: false, // The pool of `fetch` keeps its connections.
  sanitizeOps: false,
  async fn() {
    await using place = await createPlace();
    using origin = serving();
    const url = `${origin.url}/bench/data/blob.${SIZE}`;
    const keptIn = `${place.source}/kept`;
    const { bytes, requests } = await fetchLoop(load(url, 3, keptIn), systemClock);
    deepEqual([bytes, requests], [SIZE, 5]);
    deepEqual(await Deno.readFile(keptIn), await (await fetch(url)).bytes());
    const counts: unknown = await (await fetch(`${origin.url}/counts`)).json();
    deepEqual(counts, { reads: 6, bytes: 2 * SIZE });
  },
});

Deno.test({
  name: "the bare loop fails where the origin has no such blob",
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    using origin = serving();
    const missing = fetchLoop(load(`${origin.url}/bench/data/blob`, 1), systemClock);
    await rejects(missing, /answered 404 where 206 was wanted/);
  },
});

Deno.test("a range is clipped to its blob", () => {
  deepEqual(rangeOf("bytes=10-19", 15), [10, 15]);
  equal(rangeOf(undefined, 15)[1], 15);
});
