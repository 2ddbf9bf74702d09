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
  const points = [1, 2, 3].map((step) => ({ step, imagesPerSecond: 10, loss: step }));
  assert.deepEqual(series(3, 8).curve, { points, meanOf: { kind: "steps", steps: 1 } });
  assert.deepEqual(series(0, 8).curve.points, []);
});

Deno.test("StepSeries holds no more points than it may, and loses no step", () => {
  for (const steps of [7, 8, 9, 100, 1_023]) {
    const { points, meanOf } = series(steps, 8).curve;
    assert(meanOf.kind === "steps");
    assert.ok(points.length <= 8, `${steps} steps: ${points.length} points`);
    assert.ok(points.length >= Math.min(steps, 4), `${steps} steps: ${points.length} points`);
    assert.equal(points.at(-1)?.step, steps);
    let before = 0;
    for (const { step, loss, imagesPerSecond } of points) {
      assert.ok(step - before <= meanOf.steps);
      assert.equal(loss, (before + 1 + step) / 2);
      assert.equal(imagesPerSecond, 10);
      before = step;
    }
  }
});

Deno.test("StepSeries evens out the steps of an eighth of the run", () => {
  const even = new StepSeries(64);
  for (let step = 1; step <= 32; step += 1) {
    even.add({ samples: 1, dataMs: step % 4 === 1 ? 400 : 0, computeMs: 0, loss: step % 2 });
  }
  const { points, meanOf } = even.curve;
  assert.deepEqual(meanOf, { kind: "steps", steps: 4 });
  for (const { imagesPerSecond } of points.slice(3)) assert.equal(imagesPerSecond, 10);
  for (const { loss } of points.slice(3)) assert.equal(loss, 0.5);
});
