/** What a run prints: a line per window, and what it came to. */
import { imagesPerSecond, perStep, type Throughput } from "./throughput.ts";
import type { Root } from "./shards.ts";
import type { Outcome, Window } from "./training.ts";

/** A root with what was found in it. */
export function rootLine({ path, shards }: Root): string {
  return `root=${path} shards=${shards.length}`;
}

/** The line of a window, in the form of the founding documents. */
export function windowLine(window: Window): string {
  return `step=${window.step} ${figures(window)}`;
}

/** The last line of a run. */
export function summaryLine(outcome: Outcome): string {
  const { steps, samples, wallMs, order } = outcome;
  return `done steps=${steps} samples=${samples} wall_s=${(wallMs / 1_000).toFixed(2)} ` +
    `${figures(outcome)} order=${order.slice(0, 16)}`;
}

function figures(throughput: Throughput): string {
  const { dataMs, computeMs, loss } = throughput;
  return [
    `images_per_sec=${imagesPerSecond(throughput).toFixed(1)}`,
    `data_ms=${perStep(throughput, dataMs).toFixed(2)}`,
    `compute_ms=${perStep(throughput, computeMs).toFixed(2)}`,
    `loss=${loss.toFixed(4)}`,
  ].join(" ");
}

/** A window for programs; `loss` with all its digits. */
export function windowRecord(window: Window): Readonly<Record<string, unknown>> {
  return { event: "window", step: window.step, ...record(window) };
}

/** The run for programs. */
export function summaryRecord(outcome: Outcome): Readonly<Record<string, unknown>> {
  const { steps, wallMs, order } = outcome;
  return { event: "done", steps, wall_ms: wallMs, order, ...record(outcome) };
}

function record(throughput: Throughput): Readonly<Record<string, number>> {
  const { samples, dataMs, computeMs, loss } = throughput;
  return {
    samples,
    images_per_sec: imagesPerSecond(throughput),
    data_ms: perStep(throughput, dataMs),
    compute_ms: perStep(throughput, computeMs),
    loss,
  };
}
