/** Draws runs: images per second above, the loss below, both over the steps. */
import type { Curve, MeanOf } from "./step_series.ts";
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
/** Of the first run, the second, …; told apart in print and by the colour-blind, too. */
const COLORS = ["#0b62c4", "#d1661b", "#3a8f3a", "#8a3ab9"];
/** Runs above others are dashed, so that equal curves are seen to be two. */
const DASHES = ' stroke-dasharray="7 5"';
const LEGEND_STEP = 90;

/** A run to be drawn; `name` is plain text. */
export interface DrawnRun {
  readonly name: string;
  readonly curve: Curve;
}

interface Panel {
  readonly heading: string;
  readonly top: number;
  readonly ticks: Ticks;
  /** Of each run: the value at each of its steps. */
  readonly values: readonly (readonly number[])[];
}

/** Numbers of a run's steps, each with its place across. */
interface Across {
  readonly ticks: Ticks;
  readonly of: (step: number) => number;
}

/**
 * The drawing as an SVG document. There are runs, none is empty, all are means of the same; `title`
 * is plain text.
 */
export function chartSvg(title: string, runs: readonly DrawnRun[]): string {
  const curves = runs.map(({ curve }) => curve);
  const [speedMean, lossMean] = meansOf(curves[0]?.meanOf);
  const speeds = curves.map(({ points }) => points.map(({ imagesPerSecond }) => imagesPerSecond));
  const losses = curves.map(({ points }) => points.map(({ loss }) => loss));
  const panels: readonly Panel[] = [
    {
      heading: `images per second${speedMean}`,
      top: PANEL_TOPS[0],
      ticks: ticksOf(0, Math.max(...speeds.flat()), TICKS),
      values: speeds,
    },
    {
      heading: `loss${lossMean}`,
      top: PANEL_TOPS[1],
      ticks: ticksOf(Math.min(...losses.flat()), Math.max(...losses.flat()), TICKS),
      values: losses,
    },
  ];
  const steps = curves.map(({ points }) => points.map(({ step }) => step));
  const across = acrossOf(Math.max(...steps.flat()));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" ` +
    `viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="${FONTS}" font-size="13" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 32, "start", escaped(title), ' font-size="17"'),
    ...(runs.length > 1 ? legend(runs) : []),
    ...panels.flatMap((panel) => draw(panel, steps, across)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", "step"),
    "</svg>",
    "",
  ].join("\n");
}

/** What stands behind the headings of the speed and of the loss. */
function meansOf(mean: MeanOf | undefined): readonly [speed: string, loss: string] {
  if (mean?.kind === "start") return [" (since the first step)", ""];
  const text = mean === undefined || mean.steps === 1 ? "" : ` (mean of ${mean.steps} steps)`;
  return [text, text];
}

function legend(runs: readonly DrawnRun[]): string[] {
  return runs.flatMap(({ name }, run) => {
    const x = WIDTH - RIGHT - LEGEND_STEP * (runs.length - run);
    return [
      `<line x1="${x}" y1="57" x2="${x + 26}" y2="57" ${strokeOf(run)}/>`,
      text(x + 32, 62, "start", escaped(name)),
    ];
  });
}

function strokeOf(run: number): string {
  return `stroke="${COLORS[run % COLORS.length]}" stroke-width="2"${run === 0 ? "" : DASHES}`;
}

function acrossOf(lastStep: number): Across {
  const ticks = ticksOf(0, lastStep, STEP_TICKS);
  const of = (step: number) => LEFT + (WIDTH - LEFT - RIGHT) * step / lastStep;
  // The last tick may lie beyond the last step, and a step has no fractions.
  const values = ticks.values.filter((value) => value <= lastStep && Number.isInteger(value));
  return { ticks: { ...ticks, values, digits: 0 }, of };
}

function draw(
  { heading, top, ticks, values }: Panel,
  steps: readonly (readonly number[])[],
  across: Across,
): string[] {
  const bottom = top + PANEL_HEIGHT;
  const share = (value: number) => (value - ticks.low) / (ticks.high - ticks.low);
  const y = (value: number) => bottom - PANEL_HEIGHT * share(value);
  return [
    text(LEFT, top - 14, "start", heading, ' font-weight="bold"'),
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
    ...values.map((own, run) => {
      const places = own.map((value, index) =>
        `${coordinate(across.of(steps[run]?.[index] ?? 0))},${coordinate(y(value))}`
      );
      return drawnRun(places, run);
    }),
  ];
}

/** A line through `places`, each `x,y`; one alone is a dot. */
function drawnRun(places: readonly string[], run: number): string {
  const [x, y] = places.length === 1 ? places[0]?.split(",") ?? [] : [];
  if (x !== undefined) {
    return `<circle cx="${x}" cy="${y}" r="3" fill="${COLORS[run % COLORS.length]}"/>`;
  }
  return `<polyline points="${places.join(" ")}" fill="none" ${strokeOf(run)} ` +
    'stroke-linejoin="round"/>';
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
