import assert from "node:assert/strict";
import { StepSeries } from "./step_series.ts";

/** Steps of 10 images in 1 s; step n has loss n. */
function series(steps: number, pointsMax: number): StepSeries {
  const curve = new StepSeries(pointsMax);
  for (let step = 1; step <= steps; step += 1) {
    curve.add({ samples: 10, dataMs: 900, computeMs: 100, loss: step });
  }
  return curve;
}

Deno.test("StepSeries has a point for each step of a short run", () => {
  assert.deepEqual(
    series(3, 8).points,
    [1, 2, 3].map((step) => (
      { step, imagesPerSecond: 10, loss: step }
    )),
  );
  assert.deepEqual(series(0, 8).points, []);
});

Deno.test("StepSeries holds no more points than it may, and loses no step", () => {
  for (const steps of [7, 8, 9, 100, 1_023]) {
    const { points } = series(steps, 8);
    assert.ok(points.length <= 8, `${steps} steps: ${points.length} points`);
    assert.ok(points.length >= Math.min(steps, 4), `${steps} steps: ${points.length} points`);
    assert.equal(points.at(-1)?.step, steps);
    let before = 0;
    for (const { step, loss, imagesPerSecond } of points) {
      assert.equal(loss, (before + 1 + step) / 2);
      assert.equal(imagesPerSecond, 10);
      before = step;
    }
  }
});
