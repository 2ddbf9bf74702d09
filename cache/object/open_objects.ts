/** The object versions that are open or being opened, each once however many readers it has. */
import type { CachedObject } from "./cached_object.ts";

/** Open objects by name and by row. */
export class OpenObjects {
  readonly #byName = new Map<string, Promise<CachedObject>>();
  /** Those that have a row of the index. */
  readonly #byRow = new Map<number, CachedObject>();

  /** The object being opened or open as `name`. */
  get(name: string): Promise<CachedObject> | undefined {
    return this.#byName.get(name);
  }

  set(name: string, opening: Promise<CachedObject>): void {
    this.#byName.set(name, opening);
  }

  /** The open object whose row is `row`. */
  withRow(row: number): CachedObject | undefined {
    return this.#byRow.get(row);
  }

  /** `object` has `row` from now on. */
  enterRow(object: CachedObject, row: number): void {
    object.row = row;
    this.#byRow.set(row, object);
  }

  /** Nobody has `object` open any more. */
  delete({ backend, path, entry, row }: CachedObject): void {
    this.#byName.delete(openName(backend, path, entry.version));
    if (row !== null) this.#byRow.delete(row);
  }
}

/** Names one object version among the open ones. */
export function openName(backend: string, path: string, version: string): string {
  return `${backend}\0${path}\0${version}`;
}
