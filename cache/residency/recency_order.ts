/** The order of `lru` and `none`: the longest unread leaves first. */
import { RowLists } from "../index/row_lists.ts";
import type { VictimOrder } from "./victim_order.ts";

const RESIDENTS = 0;

/** Least recently used first. Its owner requeues a row that was read. */
export class RecencyOrder implements VictimOrder {
  readonly displaces: boolean;
  readonly #lists = new RowLists(1);

  /** @param policy With `none`, nothing is displaced, and only the owner makes room. */
  constructor(policy: "lru" | "none") {
    this.displaces = policy === "lru";
  }

  reserve(rows: number): void {
    this.#lists.reserve(rows);
  }

  resize(): void {}

  begin(): void {}

  restored(): void {}

  claimed(): void {}

  accessed(): void {}

  queue(row: number): void {
    this.#lists.append(RESIDENTS, row);
  }

  requeue(row: number): void {
    this.#lists.prepend(RESIDENTS, row);
  }

  unqueue(row: number): void {
    this.#lists.unlink(row);
  }

  next(): number {
    return this.#lists.first(RESIDENTS);
  }

  beats(): boolean {
    return true;
  }

  worth(): number {
    return 0;
  }

  isDead(): boolean {
    return this.displaces;
  }
}
