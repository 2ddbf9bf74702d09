/** `warpdrive bench --cached` over a real mount, which says what its stores delivered. */
import { equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { cachePlace } from "./support/cache_process.ts";
import { mount } from "./support/mounted.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

Deno.test("Reads that a store answered are not cached, those of the warm-up aside", async () => {
  await using store = await RemoteStore.start();
  await store.container("objects", {
    "one/a": sampleBytes(300_000, 1),
    "two/a": sampleBytes(300_000, 2),
  });
  await using cache = await cachePlace();
  const backends = [store.backend("objects", "direct")];
  await using mounted = await mount({
    config: { backends, cache: { path: cache.path } },
    variables: store.variables,
  });
  const metrics = mounted.url("metrics");
  const bench = (directory: string, ...more: string[]) => {
    const dir = `${mounted.path}/objects/${directory}`;
    const short = ["--readers", "1", "--rounds", "1", "--duration", "1s"];
    const args = ["bench", "--dir", dir, "--cached", "--metrics", metrics, ...short, ...more];
    return runProgram(args, {}, {});
  };
  const cold = await bench("one");
  equal(cold.code, 1, cold.stderr);
  match(cold.stderr, /were not all cached: 300000 bytes came from stores\nHint: Warm it first/);
  const warm = await bench("one");
  equal(warm.code, 0, warm.stderr);
  match(warm.stdout, /From stores: +0 bytes/);
  const warmedUp = await bench("two", "--warmup", "1s");
  equal(warmedUp.code, 0, warmedUp.stderr);
});
