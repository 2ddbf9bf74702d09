/** The command line of the soak. */
import { parseArgs } from "node:util";
import { type Intensity, LOADS } from "./load.ts";

const USAGE = `Usage: deno task soak [--hours N] [--minutes N] [--load ${
  Object.keys(LOADS).join("|")
}] [--csv FILE] [--seed N]`;

/** What is soaked, and for how long. */
export interface SoakSettings {
  readonly durationMs: number;
  readonly intensity: Intensity;
  /** Where samples are written. */
  readonly csv: string;
  readonly seed: number;
}

/**
 * Reads `args`; 10 minutes of medium load unless they say otherwise.
 *
 * @throws {TypeError} when they cannot be read; the message is for people.
 */
export function readSettings(args: readonly string[], randomSeed: number): SoakSettings {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { hours: text, minutes: text, load: text, csv: text, seed: text },
  });
  const minutes = number("hours", values.hours, 0) * 60 +
    number("minutes", values.minutes, values.hours === undefined ? 10 : 0);
  const load = values.load ?? "medium";
  const intensity = LOADS[load];
  if (intensity === undefined) throw refused("load", load, Object.keys(LOADS).join(", "));
  if (minutes === 0) throw refused("minutes", "0", "more than 0");
  return {
    durationMs: minutes * 60_000,
    intensity,
    csv: values.csv ?? "soak.csv",
    seed: number("seed", values.seed, randomSeed),
  };
}

function number(name: string, written: string | undefined, otherwise: number): number {
  if (written === undefined) return otherwise;
  const value = Number(written);
  if (written.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw refused(name, written, "a number, 0 or more");
  }
  return value;
}

function refused(name: string, written: string, wanted: string): TypeError {
  return new TypeError(`Read --${name} "${written}": wanted ${wanted}\n${USAGE}`);
}
