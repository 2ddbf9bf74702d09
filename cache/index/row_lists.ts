/**
 * Doubly linked lists of row numbers in two typed arrays: a million rows cost 8 MB and no garbage.
 * A row is in one list at most. All operations take constant time.
 */

/** Stands for no row. */
export const NO_ROW = -1;

/** Some lists over rows 0, 1, 2 … */
export class RowLists {
  readonly #lists: number;
  // Node numbers: first one head per list, which closes its ring, then the rows. A node that is
  // its own neighbour is in no list, or the head of an empty one.
  #previous: Int32Array<ArrayBuffer>;
  #next: Int32Array<ArrayBuffer>;

  /** @param lists How many lists there are, numbered from 0. */
  constructor(lists: number) {
    this.#lists = lists;
    this.#previous = Int32Array.from({ length: lists }, (_, node) => node);
    this.#next = this.#previous.slice();
  }

  /** Makes place for rows below `rows`. */
  reserve(rows: number): void {
    this.#previous = this.#extended(this.#previous, rows);
    this.#next = this.#extended(this.#next, rows);
  }

  /** The row at the front of `list`, or {@linkcode NO_ROW}. */
  first(list: number): number {
    const node = at(this.#next, list);
    return node === list ? NO_ROW : node - this.#lists;
  }

  /** Puts `row`, which is in no list, at the back of `list`. */
  append(list: number, row: number): void {
    this.#insert(row + this.#lists, list);
  }

  /** Puts `row`, which is in no list, at the front of `list`. */
  prepend(list: number, row: number): void {
    this.#insert(row + this.#lists, at(this.#next, list));
  }

  /** Takes `row` out of the list it is in, if any. */
  unlink(row: number): void {
    const node = row + this.#lists;
    this.#join(at(this.#previous, node), at(this.#next, node));
    this.#join(node, node);
  }

  /** Moves all rows of `from`, in order, to the back of `to`, another list. */
  moveAll(from: number, to: number): void {
    const first = at(this.#next, from);
    if (first === from) return;
    const last = at(this.#previous, from);
    this.#join(at(this.#previous, to), first);
    this.#join(last, to);
    this.#join(from, from);
  }

  #insert(node: number, before: number): void {
    this.#join(at(this.#previous, before), node);
    this.#join(node, before);
  }

  #join(left: number, right: number): void {
    this.#next[left] = right;
    this.#previous[right] = left;
  }

  #extended(nodes: Int32Array, rows: number): Int32Array<ArrayBuffer> {
    const extended = new Int32Array(this.#lists + rows);
    extended.set(nodes);
    for (let node = nodes.length; node < extended.length; node += 1) extended[node] = node;
    return extended;
  }
}

function at(nodes: Int32Array, node: number): number {
  return nodes[node] ?? NO_ROW;
}
