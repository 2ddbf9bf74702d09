/** One epoch of training over the mount, as it was measured. */
import { type BackendCounters, type Counters, hitRate, ofAllBackends } from "./counters.ts";
import { bytesText, countText, millisecondsText, percentText, ratioText } from "./figures.ts";
import type { RegionPlan } from "./region.ts";
import type { Summary, Window } from "./training.ts";

/** What came of one run of `warpdrive forge`. */
export interface Epoch {
  /** The whole command, its start included. */
  readonly wallMs: number;
  readonly windows: readonly Window[];
  readonly summary: Summary;
  /** What the mount counted meanwhile. */
  readonly counters: Counters;
  /** Everything that came over the links, as the relays counted it. */
  readonly linkBytes: number;
}

const NOTHING: BackendCounters = { bytes: 0, requests: 0, errors: 0 };

/** What `epoch` took from the backend of `plan`. */
export function fetchedFrom(epoch: Epoch, { backend }: RegionPlan): BackendCounters {
  return epoch.counters.backends.get(backend) ?? NOTHING;
}

/** Whether both learned the same from the same samples in the same order, bit for bit. */
export function sameTraining(one: Epoch, other: Epoch): boolean {
  const losses = ({ windows, summary }: Epoch) => [...windows, summary].map(({ loss }) => loss);
  return one.summary.order === other.summary.order && one.windows.length > 0 &&
    JSON.stringify(losses(one)) === JSON.stringify(losses(other));
}

/** What an epoch came to, for a person. */
export function epochRows(epoch: Epoch, regions: readonly RegionPlan[]): string[][] {
  const { summary, counters, linkBytes } = epoch;
  return [
    ["Wall time, whole command", millisecondsText(epoch.wallMs)],
    ["Throughput, whole run", `${summary.images_per_sec.toFixed(1)} images/s`],
    ["Avg data load / step", `${summary.data_ms.toFixed(2)} ms`],
    ["Kernel reads served by WarpDrive", countText(counters.reads)],
    ["Opens passed through to the disk", countText(counters.passthroughOpens)],
    [
      "Cache hits / misses",
      `${countText(counters.hits)} / ${countText(counters.misses)} (${percentText(counters)})`,
    ],
    ...regions.map((plan) => [`Fetched (${plan.tag})`, bytesText(fetchedFrom(epoch, plan).bytes)]),
    ["Seen on the links", bytesText(linkBytes)],
  ];
}

/** Cold beside warm. */
export function comparisonRows(cold: Epoch, warm: Epoch): string[][] {
  const rate = (epoch: Epoch) => hitRate(epoch.counters);
  const count = (title: string, of: (epoch: Epoch) => number) => [
    title,
    countText(of(cold)),
    countText(of(warm)),
    countText(of(warm) - of(cold), "signed"),
  ];
  const bytes = (title: string, of: (epoch: Epoch) => number) => [
    title,
    bytesText(of(cold)),
    bytesText(of(warm)),
    of(cold) === 0 ? "" : `${(100 * (of(warm) / of(cold) - 1)).toFixed(1)} %`,
  ];
  const rates = [rate(cold), rate(warm)];
  return [
    ["Metric", "Cold", "Warm", "Delta"],
    [
      "Wall time, whole command",
      millisecondsText(cold.wallMs),
      millisecondsText(warm.wallMs),
      ratioText(cold.wallMs / warm.wallMs),
    ],
    [
      "Throughput (images/s)",
      cold.summary.images_per_sec.toFixed(1),
      warm.summary.images_per_sec.toFixed(1),
      ratioText(warm.summary.images_per_sec / cold.summary.images_per_sec),
    ],
    [
      "Avg data load / step",
      `${cold.summary.data_ms.toFixed(2)} ms`,
      `${warm.summary.data_ms.toFixed(2)} ms`,
      ratioText(cold.summary.data_ms / warm.summary.data_ms),
    ],
    [
      "Cache hit rate",
      percentText(cold.counters),
      percentText(warm.counters),
      pointsText(rates),
    ],
    count("Cache hits", ({ counters }) => counters.hits),
    count("Cache misses", ({ counters }) => counters.misses),
    count("Kernel reads served by WarpDrive", ({ counters }) => counters.reads),
    count("Opens passed through to the disk", ({ counters }) => counters.passthroughOpens),
    bytes("Backend data fetched", ({ counters }) => ofAllBackends(counters).bytes),
    bytes("Seen on the links", ({ linkBytes }) => linkBytes),
    [
      "Loss of the last step",
      cold.summary.loss.toFixed(4),
      warm.summary.loss.toFixed(4),
      sameTraining(cold, warm) ? "identical" : "DIFFERENT",
    ],
  ];
}

function pointsText([cold, warm]: readonly (number | null)[]): string {
  if (typeof cold !== "number" || typeof warm !== "number") return "";
  const points = 100 * (warm - cold);
  return `${points < 0 ? "" : "+"}${points.toFixed(1)} points`;
}
