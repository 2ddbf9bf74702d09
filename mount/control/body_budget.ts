/** Memory for the bodies of requests on their way in, of all connections of a socket together. */
export class BodyBudget {
  #freeBytes: number;

  constructor(bytesMax: number) {
    this.#freeBytes = bytesMax;
  }

  /** Room for `bytes`, given back by disposing it; null when there is none. */
  take(bytes: number): Disposable | null {
    if (bytes > this.#freeBytes) return null;
    this.#freeBytes -= bytes;
    return { [Symbol.dispose]: () => this.#freeBytes += bytes };
  }
}
