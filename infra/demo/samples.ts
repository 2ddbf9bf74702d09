/** Reads the text that a Prometheus endpoint serves, as far as the demo shows it. */

/** One sample: `name{labels} value`. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** The samples in `text`; comments and what is no sample are left out. */
export function parseSamples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) return [];
    const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((
      [, name = "", value = ""],
    ): [string, string] => [name, value]);
    return [{ name: match[1] ?? "", labels: new Map(labels), value: Number(match[3]) }];
  });
}

/** The sum of all samples called `name` whose labels have at least the given values. */
export function total(
  samples: readonly Sample[],
  name: string,
  wanted: Readonly<Record<string, string>> = {},
): number {
  return samples
    .filter((sample) =>
      sample.name === name &&
      Object.entries(wanted).every(([label, value]) => sample.labels.get(label) === value)
    )
    .reduce((sum, { value }) => sum + value, 0);
}

/** The sums of the samples called `name`, by the value of their label `by`. */
export function totalsBy(
  samples: readonly Sample[],
  name: string,
  by: string,
): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const sample of samples) {
    const key = sample.labels.get(by);
    if (sample.name !== name || key === undefined) continue;
    totals.set(key, (totals.get(key) ?? 0) + sample.value);
  }
  return totals;
}
