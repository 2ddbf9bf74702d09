/** Draws a run: images per second above, the loss below, both over the steps. */
import type { Curve } from "./step_series.ts";
import { type Ticks, ticksOf } from "./ticks.ts";

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 84;
const RIGHT = 24;
/** Where the two panels begin, and how high they are. */
const PANEL_TOPS = [76, 336] as const;
const PANEL_HEIGHT = 200;
const TICKS = 5;
const STEP_TICKS = 8;
/** The first is embedded where a picture is made of this drawing. */
const FONTS = "DejaVu Sans, Verdana, Arial, sans-serif";

interface Panel {
  readonly heading: string;
  readonly color: string;
  readonly top: number;
  readonly ticks: Ticks;
  readonly values: readonly number[];
}

/** Numbers of a run's steps, each with its place across. */
interface Across {
  readonly ticks: Ticks;
  readonly of: (step: number) => number;
}

/** The drawing as an SVG document. The curve is not empty, `title` is plain text. */
export function chartSvg(title: string, { points, meanOfSteps }: Curve): string {
  const speeds = points.map(({ imagesPerSecond }) => imagesPerSecond);
  const mean = meanOfSteps === 1 ? "" : ` (mean of ${meanOfSteps} steps)`;
  const losses = points.map(({ loss }) => loss);
  const panels: readonly Panel[] = [
    {
      heading: `images per second${mean}`,
      color: "#0b62c4",
      top: PANEL_TOPS[0],
      ticks: ticksOf(0, Math.max(...speeds), TICKS),
      values: speeds,
    },
    {
      heading: `loss${mean}`,
      color: "#b3361b",
      top: PANEL_TOPS[1],
      ticks: ticksOf(Math.min(...losses), Math.max(...losses), TICKS),
      values: losses,
    },
  ];
  const steps = points.map(({ step }) => step);
  const across = acrossOf(steps.at(-1) ?? 1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" ` +
    `viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${FONTS}" font-size="13" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 32, "start", escaped(title), ' font-size="17"'),
    ...panels.flatMap((panel) => draw(panel, steps, across)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", "step"),
    "</svg>",
    "",
  ].join("\n");
}

function acrossOf(lastStep: number): Across {
  const ticks = ticksOf(0, lastStep, STEP_TICKS);
  const of = (step: number) => LEFT + (WIDTH - LEFT - RIGHT) * step / lastStep;
  // The last tick may lie beyond the last step, and a step has no fractions.
  const values = ticks.values.filter((value) => value <= lastStep && Number.isInteger(value));
  return { ticks: { ...ticks, values, digits: 0 }, of };
}

function draw(panel: Panel, steps: readonly number[], across: Across): string[] {
  const { heading, color, top, ticks, values } = panel;
  const bottom = top + PANEL_HEIGHT;
  const share = (value: number) => (value - ticks.low) / (ticks.high - ticks.low);
  const y = (value: number) => bottom - PANEL_HEIGHT * share(value);
  const places = values.map((value, index) => [across.of(steps[index] ?? 0), y(value)] as const);
  const path = places.map(([x, height]) => `${coordinate(x)},${coordinate(height)}`).join(" ");
  const [only] = places;
  return [
    text(LEFT, top - 14, "start", heading, ` fill="${color}" font-weight="bold"`),
    ...ticks.values.flatMap((value) => [
      line(LEFT, y(value), WIDTH - RIGHT, y(value), "#e3e3e3"),
      text(LEFT - 8, y(value) + 4.5, "end", value.toFixed(ticks.digits)),
    ]),
    ...across.ticks.values.flatMap((step) => [
      line(across.of(step), bottom, across.of(step), bottom + 5, "#333"),
      text(across.of(step), bottom + 20, "middle", step.toFixed(0)),
    ]),
    line(LEFT, bottom, WIDTH - RIGHT, bottom, "#333"),
    line(LEFT, top, LEFT, bottom, "#333"),
    places.length === 1 && only !== undefined
      ? `<circle cx="${coordinate(only[0])}" cy="${coordinate(only[1])}" r="3" fill="${color}"/>`
      : `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.6" ` +
        'stroke-linejoin="round"/>',
  ];
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  const [left, top, right, bottom] = [x1, y1, x2, y2].map(coordinate);
  return `<line x1="${left}" y1="${top}" x2="${right}" y2="${bottom}" stroke="${color}"/>`;
}

function text(x: number, y: number, anchor: string, content: string, more = ""): string {
  return `<text x="${coordinate(x)}" y="${coordinate(y)}" text-anchor="${anchor}"${more}>` +
    `${content}</text>`;
}

function coordinate(value: number): string {
  return value.toFixed(1);
}

function escaped(plain: string): string {
  return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
