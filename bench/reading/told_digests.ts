/** The checksums that a pass tells of: small files are read whole a million times in it. */
import type { FileDigest } from "./read_messages.ts";

/** Each checksum of a file once; another one of the same file is another. */
export class ToldDigests {
  readonly #told = new Map<string, FileDigest>();

  add(digest: FileDigest): void {
    this.#told.set(`${digest.digest} ${digest.hex} ${digest.path}`, digest);
  }

  get all(): readonly FileDigest[] {
    return [...this.#told.values()];
  }
}
