/** How fast bytes come at the moment: those of the last seconds. Pure. */

const WINDOW_MS = 10_000;
/** Samples closer together than this are one. */
const STEP_MS = 250;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** The rate at which a sum of bytes grows. */
export class TransferRate {
  /** The sum at some times of the window, oldest first; the first one may lie before it. */
  #samples: Sample[];

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, bytes: 0 }];
  }

  /** The sum is `bytes` now. */
  note(bytes: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < STEP_MS) return;
    this.#samples.push({ atMs: nowMs, bytes });
    while (this.#isOld(this.#samples[1], nowMs)) this.#samples.shift();
  }

  /** Bytes a second, of a sum that is `bytes` now. */
  perSecond(bytes: number, nowMs: number): number {
    const start = this.#samples.findLast((sample) => this.#isOld(sample, nowMs)) ??
      this.#samples[0];
    if (start === undefined || nowMs <= start.atMs) return 0;
    return Math.max(0, (bytes - start.bytes) * 1_000 / (nowMs - start.atMs));
  }

  #isOld(sample: Sample | undefined, nowMs: number): boolean {
    return sample !== undefined && nowMs - sample.atMs >= WINDOW_MS;
  }
}
