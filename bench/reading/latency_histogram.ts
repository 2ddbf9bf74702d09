/**
 * Durations in bounded memory: 64 buckets for each doubling, so that a value read back is within
 * 0.8 % of the one put in. The idea is HdrHistogram's (Tene); the bucket is read off the exponent
 * and the first six bits behind the point of the number itself (IEEE 754).
 */

const BUCKETS_PER_DOUBLING = 64;
/** 2^40 ns: eighteen minutes. */
const DOUBLINGS = 40;
const NANOSECONDS_PER_MS = 1e6;
/** Of a double's upper half: 11 bits of exponent and 6 of what follows it. */
const DROPPED_BITS = 14;
/** Bucket of 1 ns, before it is shifted to 0: the exponent's bias. */
const FIRST = 1023 * BUCKETS_PER_DOUBLING;

/** Durations by how often they occurred. */
export class LatencyHistogram {
  readonly #counts: Float64Array<ArrayBuffer>;
  readonly #view = new DataView(new ArrayBuffer(8));

  constructor(counts = new Float64Array(BUCKETS_PER_DOUBLING * DOUBLINGS)) {
    this.#counts = counts;
  }

  /** The counts by bucket, to hand to another thread. */
  get counts(): Float64Array<ArrayBuffer> {
    return this.#counts;
  }

  /** One more duration, in milliseconds. */
  add(ms: number): void {
    this.#view.setFloat64(0, Math.max(1, ms * NANOSECONDS_PER_MS));
    const bucket = (this.#view.getUint32(0) >>> DROPPED_BITS) - FIRST;
    const kept = Math.min(bucket, this.#counts.length - 1);
    this.#counts[kept] = (this.#counts[kept] ?? 0) + 1;
  }

  /** All durations of `other` too. */
  addAll(other: LatencyHistogram): void {
    other.counts.forEach((count, bucket) => {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    });
  }

  /** How many there are. */
  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Milliseconds that a share of the durations, 0 to 1, stays at or below; NaN of none. */
  quantileMs(quantile: number): number {
    const wanted = Math.max(1, Math.ceil(this.total * quantile));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return middleMs(bucket);
    }
    return NaN;
  }

  /** Mean in milliseconds; NaN of none. */
  get meanMs(): number {
    const sum = this.#counts.reduce((sum, count, bucket) => sum + count * middleMs(bucket), 0);
    return sum / this.total;
  }

  /** How many are above `fromMs` and at most `toMs`, to the width of a bucket. */
  between(fromMs: number, toMs: number): number {
    return this.#counts.reduce((sum, count, bucket) => {
      const ms = middleMs(bucket);
      return ms > fromMs && ms <= toMs ? sum + count : sum;
    }, 0);
  }
}

/** The middle of a bucket, in milliseconds. */
function middleMs(bucket: number): number {
  const doubling = Math.floor(bucket / BUCKETS_PER_DOUBLING);
  const part = bucket % BUCKETS_PER_DOUBLING + 0.5;
  return 2 ** doubling * (1 + part / BUCKETS_PER_DOUBLING) / NANOSECONDS_PER_MS;
}
