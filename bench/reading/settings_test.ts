import assert from "node:assert/strict";
import { readBenchSettings } from "./settings.ts";

Deno.test("readBenchSettings has the defaults of the founding documents", () => {
  const settings = readBenchSettings({}, "/home/me");
  const { dir, readers, duration, chunk, pattern, cached, checksum } = settings;
  assert.deepEqual({ dir, readers, duration, chunk, pattern, cached, checksum }, {
    dir: "/data/training_sets",
    readers: 32,
    duration: 30_000,
    chunk: 4 * 2 ** 20,
    pattern: "sequential",
    cached: false,
    checksum: false,
  });
});

Deno.test("readBenchSettings means relative paths below the working directory", () => {
  const options = { dir: "data", baseline: "../raw", manifest: "/lists/SHA256SUMS" };
  const { dir, baseline, manifest } = readBenchSettings(options, "/home/me");
  assert.deepEqual([dir, baseline, manifest], [
    "/home/me/data",
    "/home/raw",
    "/lists/SHA256SUMS",
  ]);
});

Deno.test("readBenchSettings says everything that is wrong at once", () => {
  assert.throws(
    () => readBenchSettings({ readers: "0", chunk: "big", pattern: "zigzag" }, "/"),
    /--readers "0": wanted .*; --chunk "big": wanted .*; --pattern "zigzag": wanted one of/,
  );
  assert.throws(() => readBenchSettings({ chunk: "2GiB" }, "/"), /wanted at most 1GiB/);
  assert.throws(
    () => readBenchSettings({ direct: true, chunk: "1000" }, "/"),
    /wanted a chunk of whole sectors/,
  );
  assert.throws(
    () => readBenchSettings({ checksum: true, pattern: "random" }, "/"),
    /wanted a pattern that reads whole files/,
  );
});
