/** Writes tar archives: the same bytes for the same members, on every machine. */
import { Buffer } from "node:buffer";
import { type Pack, pack } from "tar-stream";
import { assert } from "../../cache/platform/assert.ts";

/** A file to put into an archive. */
export interface ShardMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes of one write. */
const WRITE_BYTES = 1024 * 1024;
const FILE_MODE = 0o644;

/**
 * Writes `members` as a new archive at `path`, one of them in memory at a time; the archive's size
 * in bytes. What was written is removed again when that fails.
 *
 * @throws what `members` throws, and when there is a file at `path`.
 */
export async function writeShardFile(
  path: string,
  members: Iterable<ShardMember>,
): Promise<number> {
  using file = Deno.openSync(path, { write: true, createNew: true });
  try {
    const archive = pack();
    const [, bytes] = await Promise.all([fill(archive, members), drain(archive, file)]);
    return bytes;
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

async function fill(archive: Pack, members: Iterable<ShardMember>): Promise<void> {
  try {
    for (const { name, bytes } of members) await addMember(archive, name, bytes);
    archive.finalize();
  } catch (error) {
    // The writer waits for the next bytes and learns of it only this way.
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Resolves when the archive takes more. */
async function addMember(archive: Pack, name: string, bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const header = { name, mode: FILE_MODE, mtime: new Date(0), uid: 0, gid: 0 };
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  archive.entry(header, body, (error) => error ? reject(error) : resolve());
  await promise;
}

/** Writes what `archive` gives to `file`, many members at a time. */
async function drain(archive: Pack, file: Deno.FsFile): Promise<number> {
  const buffer = new Uint8Array(WRITE_BYTES);
  let held = 0;
  let written = 0;
  for await (const bytes of archive) {
    assert(bytes instanceof Uint8Array, "An archive comes in bytes");
    if (held + bytes.length > buffer.length) {
      writeAll(file, buffer.subarray(0, held));
      held = 0;
    }
    if (bytes.length > buffer.length) writeAll(file, bytes);
    else {
      buffer.set(bytes, held);
      held += bytes.length;
    }
    written += bytes.length;
  }
  writeAll(file, buffer.subarray(0, held));
  return written;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}
