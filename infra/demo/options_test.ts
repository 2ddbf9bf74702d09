import { deepEqual, equal, throws } from "node:assert/strict";
import { parseOptions, stepsOf } from "./options.ts";

Deno.test("the demo trains one epoch of 300 steps, by default over 20 and 45 ms", () => {
  const options = parseOptions([]);
  if (options.kind !== "play") throw new Error("Not played");
  equal(stepsOf(options.scale), 300);
  equal(options.scale.trainShards, 20);
  deepEqual(options.distances.map(({ roundTripMs }) => roundTripMs), [20, 45]);
  equal(options.keep, false);
});

Deno.test("--quick leaves whole steps, too", () => {
  const options = parseOptions(["--quick", "--keep"]);
  if (options.kind !== "play") throw new Error("Not played");
  const { trainShards, imagesPerShard, batchSize } = options.scale;
  equal(stepsOf(options.scale) * batchSize, trainShards * imagesPerShard);
  equal(options.keep, true);
});

Deno.test("--latency and --bandwidth take one value for each region", () => {
  const options = parseOptions(["--latency", "5,90", "--bandwidth=1GiB,8MB"]);
  if (options.kind !== "play") throw new Error("Not played");
  deepEqual(options.distances, [
    { roundTripMs: 5, bytesPerSecond: 2 ** 30 },
    { roundTripMs: 90, bytesPerSecond: 8 * 2 ** 20 },
  ]);
});

Deno.test("--plot names the picture of both epochs", () => {
  const options = parseOptions(["--plot", "/tmp/both.svg"]);
  if (options.kind !== "play") throw new Error("Not played");
  deepEqual(options.plot, { path: "/tmp/both.svg", kind: "svg" });
  throws(() => parseOptions(["--plot", "both.gif"]), /wanted a name that ends in \.svg or \.png/);
});

for (
  const [args, wanted] of [
    [["--latency", "20"], /--latency "20": wanted two round trips/],
    [["--latency", "20,x"], /wanted two round trips/],
    [["--bandwidth", "1GiB,1KiB"], /wanted two sizes/],
    [["--bandwidth", "1,2,3"], /wanted two sizes/],
    [["--kep"], /Cannot run the demo with "--kep"/],
    [["now"], /Cannot run the demo with "now"/],
  ] as const
) {
  Deno.test(`the demo refuses ${args.join(" ")}`, () => {
    throws(() => parseOptions(args), wanted);
  });
}
