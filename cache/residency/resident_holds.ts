/** Why residents may not be evicted: each reason holds its object once and releases it once. */
import type { ObjectKey, Residency } from "./residency.ts";

/** Holds on objects, counted. */
export class ResidentHolds {
  readonly #residency: Pick<Residency, "hold" | "release">;
  readonly #counts = new Map<ObjectKey, number>();

  constructor(residency: Pick<Residency, "hold" | "release">) {
    this.#residency = residency;
  }

  hold(key: ObjectKey): void {
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    if (count === 0) this.#residency.hold(key);
  }

  release(key: ObjectKey): void {
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else if (this.#counts.delete(key)) this.#residency.release(key);
  }
}
