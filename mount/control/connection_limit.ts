/** How many connections a socket has at once, in all and of one user. */

/** The bounds of one socket. */
export interface ConnectionBounds {
  readonly connectionsMax: number;
  /** Less than all, so that one user leaves room for another. */
  readonly connectionsOfUserMax: number;
}

/** The connections of one socket. */
export class ConnectionLimit {
  readonly #bounds: ConnectionBounds;
  readonly #ofUser = new Map<number, number>();
  #total = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
  }

  /** A place for a connection of `uid`, given back by disposing it; null when there is none. */
  take(uid: number): Disposable | null {
    const { connectionsMax, connectionsOfUserMax } = this.#bounds;
    const count = this.#ofUser.get(uid) ?? 0;
    if (this.#total >= connectionsMax || count >= connectionsOfUserMax) return null;
    this.#total += 1;
    this.#ofUser.set(uid, count + 1);
    return { [Symbol.dispose]: () => this.#giveBack(uid) };
  }

  #giveBack(uid: number): void {
    this.#total -= 1;
    const count = this.#ofUser.get(uid) ?? 0;
    if (count > 1) this.#ofUser.set(uid, count - 1);
    else this.#ofUser.delete(uid);
  }
}
