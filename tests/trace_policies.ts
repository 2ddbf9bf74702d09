/** Caches to run traces through: the product's, and those it is compared with. */
import { createResidency } from "../cache/residency/resident_book.ts";
import type { Residency, ResidencyPolicy } from "../cache/residency/residency.ts";
import { excessBytes } from "../cache/disk/watermarks.ts";
import type { TraceRead } from "./trace_workloads.ts";

/** Their defaults. */
const WATERMARKS = { highWater: 0.9, lowWater: 0.8 };

/** A cache on a trace: says of each read whether it hits. */
export type CacheOnTrace = (trace: readonly TraceRead[], capacityBytes: number) => boolean[];

/** Our cache with a policy of the configuration. */
export function ours(policy: ResidencyPolicy): CacheOnTrace {
  return (trace, capacityBytes) => {
    const residency = createResidency({ policy, capacityBytes, ghostsMax: 1_000_000 });
    const resident = new Set<number>();
    return trace.map((read) => step(residency, resident, read, capacityBytes));
  };
}

/** One read of `residency`, whose residents are mirrored in `resident`. */
export function step(
  residency: Residency,
  resident: Set<number>,
  { key, sizeBytes }: TraceRead,
  capacityBytes: number,
): boolean {
  residency.access(key, sizeBytes);
  if (resident.has(key)) return true;
  const admission = residency.admit(key, sizeBytes);
  if (admission.kind === "admit") {
    for (const victim of admission.evict) {
      if (!resident.delete(victim)) throw new Error(`Evicted ${victim}, which is not resident`);
    }
    resident.add(key);
  }
  const excess = excessBytes(residency.usedBytes, capacityBytes, WATERMARKS, false);
  if (excess > 0) { for (const dead of residency.evict(excess, "dead")) resident.delete(dead); }
  if (residency.count !== resident.size) throw new Error("The book disagrees with the cache");
  if (residency.usedBytes > capacityBytes) throw new Error("More is charged than there is");
  return false;
}

/** Our cache with `plan`, which the trace follows more or less. */
export function oursPlanned(plan: readonly TraceRead[]): CacheOnTrace {
  const positions = new Map<number, number[]>();
  plan.forEach(({ key }, position) => {
    const known = positions.get(key);
    if (known === undefined) positions.set(key, [position]);
    else known.push(position);
  });
  return (trace, capacityBytes) => {
    const residency = createResidency({ policy: "adaptive", capacityBytes, ghostsMax: 1_000_000 });
    const resident = new Set<number>();
    const uses = new Map<number, number>();
    return trace.map((read) => {
      const done = (uses.get(read.key) ?? 0) + 1;
      uses.set(read.key, done);
      residency.planned(read.key, positions.get(read.key)?.[done] ?? Infinity);
      return step(residency, resident, read, capacityBytes);
    });
  };
}

/** The best any cache could do on objects of one size: it knows the future and may refuse. */
export const belady: CacheOnTrace = (trace, capacityBytes) => {
  const following = followingUses(trace);
  const resident = new Map<number, number>();
  return trace.map(({ key }, position) => {
    const next = following[position] ?? Infinity;
    const hit = resident.has(key);
    if (next === Infinity) resident.delete(key);
    else resident.set(key, next);
    if (resident.size > capacityBytes) {
      let [victim, furthest] = [key, next];
      for (const [other, use] of resident) if (use > furthest) [victim, furthest] = [other, use];
      resident.delete(victim);
    }
    return hit;
  });
};

/** W-TinyLFU for objects of one size, with exact counts in place of the sketch. */
export const tinyLfu: CacheOnTrace = (trace, capacity) => {
  const cache = new TinyLfu(capacity);
  return trace.map(({ key }) => cache.read(key));
};

/** Positions at which the object of each read is read again; Infinity when it is not. */
function followingUses(trace: readonly TraceRead[]): number[] {
  const later = new Map<number, number>();
  return trace.map((_, i) => {
    const position = trace.length - 1 - i;
    const key = trace[position]?.key ?? NaN;
    const next = later.get(key) ?? Infinity;
    later.set(key, position);
    return next;
  }).reverse();
}

class TinyLfu {
  readonly #windowMax: number;
  readonly #mainMax: number;
  readonly #protectedMax: number;
  readonly #sampleMax: number;
  readonly #window = new Set<number>();
  readonly #probation = new Set<number>();
  readonly #protected = new Set<number>();
  readonly #counts = new Map<number, number>();
  #sample = 0;

  constructor(capacity: number) {
    this.#windowMax = Math.max(1, Math.floor(capacity / 100));
    this.#mainMax = capacity - this.#windowMax;
    this.#protectedMax = Math.floor(0.8 * this.#mainMax);
    this.#sampleMax = 10 * capacity;
  }

  read(key: number): boolean {
    this.#count(key);
    for (const recent of [this.#window, this.#protected]) {
      if (recent.delete(key)) {
        recent.add(key);
        return true;
      }
    }
    if (this.#probation.delete(key)) {
      this.#protect(key);
      return true;
    }
    this.#window.add(key);
    if (this.#window.size > this.#windowMax) this.#admit(take(this.#window));
    return false;
  }

  #admit(candidate: number): void {
    if (this.#probation.size + this.#protected.size >= this.#mainMax) {
      const from = this.#probation.size > 0 ? this.#probation : this.#protected;
      const victim = take(from);
      if ((this.#counts.get(candidate) ?? 0) <= (this.#counts.get(victim) ?? 0)) {
        // Back to where it was: the first to be looked at next time, too.
        const rest = [...from];
        from.clear();
        for (const key of [victim, ...rest]) from.add(key);
        return;
      }
    }
    this.#probation.add(candidate);
  }

  #protect(key: number): void {
    this.#protected.add(key);
    if (this.#protected.size > this.#protectedMax) this.#probation.add(take(this.#protected));
  }

  #count(key: number): void {
    this.#counts.set(key, Math.min(15, (this.#counts.get(key) ?? 0) + 1));
    this.#sample += 1;
    if (this.#sample < this.#sampleMax) return;
    this.#sample /= 2;
    for (const [counted, count] of this.#counts) {
      if (count < 2) this.#counts.delete(counted);
      else this.#counts.set(counted, count >> 1);
    }
  }
}

/** Removes the first of `keys`, which has one. */
function take(keys: Set<number>): number {
  for (const key of keys) {
    keys.delete(key);
    return key;
  }
  throw new Error("Cannot take from nothing");
}
