import { equal, match, notEqual } from "node:assert/strict";
import { chartSvg } from "./chart_svg.ts";

function curve(...speeds: number[]) {
  const points = speeds.map((imagesPerSecond, index) => ({
    step: (index + 1) * 50,
    imagesPerSecond,
    loss: 2 - index / 10,
  }));
  return { points, meanOf: { kind: "steps", steps: 50 } } as const;
}

const polylines = (svg: string) =>
  [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, p]) => p);

Deno.test("a drawing of one run has its speed and its loss, and needs no legend", () => {
  const svg = chartSvg("A & B", [{ name: "this run", curve: curve(500, 600) }]);
  equal(polylines(svg).length, 2);
  match(svg, />A &amp; B</);
  equal(svg.includes("this run"), false);
});

Deno.test("runs beside each other share their scales, and are told apart by a legend", () => {
  const svg = chartSvg("Two", [
    { name: "cold", curve: curve(500, 600) },
    { name: "warm", curve: curve(2_900, 3_000) },
  ]);
  const [coldSpeed, warmSpeed, coldLoss, warmLoss] = polylines(svg);
  notEqual(coldSpeed, warmSpeed);
  equal(coldLoss, warmLoss);
  match(svg, />cold</);
  match(svg, />warm</);
  // Equal curves lie on each other: the upper one lets the lower one be seen.
  match(svg, /stroke-dasharray/);
});

Deno.test("headings say over what the speed is a mean, and the loss where it is one", () => {
  const { points } = curve(500, 600);
  match(
    chartSvg("x", [{ name: "x", curve: curve(1) }]),
    /per second \(mean of 50 steps\).*loss \(m/s,
  );
  const single = chartSvg("x", [{
    name: "x",
    curve: { points, meanOf: { kind: "steps", steps: 1 } },
  }]);
  match(single, />images per second<.*>loss</s);
  const all = chartSvg("x", [{ name: "x", curve: { points, meanOf: { kind: "start" } } }]);
  match(all, />images per second \(since the first step\)<.*>loss</s);
});

Deno.test("a run of one point is a dot", () => {
  match(chartSvg("One", [{ name: "x", curve: curve(5) }]), /<circle/);
});
