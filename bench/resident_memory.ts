/**
 * Free memory that is really there. The host of a virtual machine may take free memory back and
 * give it again page by page, at the first touch: 1.5 to 2 s of processor time for a gigabyte was
 * seen where copying takes 0.1 s. A cold read through a mount touches as much new page cache as it
 * reads, twice where a cache keeps it, and a bare loop around `fetch` none: without this the
 * figures would be about the host.
 */

const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Makes `bytes` of free memory resident, for the second or so until the host takes them back: by
 * page cache that is given up again. `directory` is on a disk, and has room.
 */
export async function makeResident(
  directory: string,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  const path = `${directory}/resident`;
  const zeros = new Uint8Array(PIECE_BYTES);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  try {
    for (let left = bytes; left > 0; left -= PIECE_BYTES) {
      signal.throwIfAborted();
      await file.write(zeros.subarray(0, Math.min(left, PIECE_BYTES)));
    }
  } finally {
    await Deno.remove(path);
  }
}
