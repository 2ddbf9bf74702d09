/** The files a reader has open, as a data loader keeps its shards open. */
import type { Libc } from "../../cache/platform/libc.ts";

/** The descriptors of 1,024 readers have to fit under the limits of a process. */
const OPEN_MAX = 64;

/** Descriptors by path, the oldest of them closed when there are too many. */
export class OpenFiles {
  readonly #libc: Libc;
  readonly #flags: number;
  readonly #descriptors = new Map<string, number>();

  /** `flags` are those of open(2). */
  constructor(libc: Libc, flags: number) {
    this.#libc = libc;
    this.#flags = flags;
  }

  /** The descriptor of the file at `path`, which is opened when it is not. */
  descriptor(path: string): number {
    const known = this.#descriptors.get(path);
    if (known !== undefined) return known;
    const fd = this.#libc.openPath(path, this.#flags);
    if (fd < 0) throw new Error(`Cannot open "${path}": errno ${-fd}`);
    for (const [oldest, open] of this.#descriptors) {
      if (this.#descriptors.size < OPEN_MAX) break;
      this.#libc.close(open);
      this.#descriptors.delete(oldest);
    }
    this.#descriptors.set(path, fd);
    return fd;
  }
}
