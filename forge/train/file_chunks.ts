/** Reads a file front to back with blocking reads, as the worker of a data loader does. */

/** Bytes of one read: what the kernel's read-ahead on a mount is. */
const READ_BYTES = 1024 * 1024;

/** The bytes of the file at `path`. Every chunk is a new one: who takes it may keep it. */
export function* fileChunks(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  while (true) {
    const chunk = new Uint8Array(READ_BYTES);
    const bytes = file.readSync(chunk);
    if (bytes === null) return;
    yield chunk.subarray(0, bytes);
  }
}
