/** The plans of all processes together: one next use for each file, in one unit of time. */
import type { Plan } from "./plan.ts";

/** Paces are looked at this often. */
const FOLLOW_MS = 10_000;

/** Plans at once. */
export class PlanSet {
  readonly #plans = new Set<Plan>();
  #followedMs = 0;

  get size(): number {
    return this.#plans.size;
  }

  add(plan: Plan): void {
    this.#plans.add(plan);
  }

  delete(plan: Plan): void {
    this.#plans.delete(plan);
  }

  /** When the first of the plans uses the file with `key`; Infinity when none does. */
  nextUseMs(key: number): number {
    let first = Infinity;
    for (const plan of this.#plans) first = Math.min(first, plan.nextUseMs(key));
    return first;
  }

  /**
   * The plans whose pace has changed: all times given out for their files are wrong. One plan alone
   * keeps its times, as their order is all that counts.
   */
  follow(nowMs: number): readonly Plan[] {
    if (this.#plans.size < 2 || nowMs - this.#followedMs < FOLLOW_MS) return [];
    this.#followedMs = nowMs;
    return [...this.#plans].filter((plan) => plan.follow(nowMs));
  }
}
