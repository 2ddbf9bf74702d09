/**
 * A directory's entries as the index keeps them: JSON in gzip, whose CRC tells whether the disk
 * changed it. Order and names are kept; POSIX attributes and links are not, because local
 * directories, which alone have them, are never cached.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { DirectoryEntry, Entry, ObjectEntry } from "../backend/backend.ts";
import { RowDamaged } from "./rows.ts";

/** Names repeat so much that the fastest level takes off nearly all the best one does. */
const GZIP_LEVEL = 1;

const decoder = new TextDecoder();

/** `entries` as bytes. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const rows = entries.flatMap((entry) => {
    if (entry.kind === "symlink") return [];
    const { name, modified } = entry;
    const time = modified === null ? [null, null] : [modified.seconds, modified.nanoseconds];
    return entry.kind === "directory"
      ? [[name, ...time]]
      : [[name, ...time, entry.sizeBytes, entry.version, entry.etag]];
  });
  return new Uint8Array(gzipSync(JSON.stringify(rows), { level: GZIP_LEVEL }));
}

/**
 * The entries that `bytes` hold.
 *
 * @throws {RowDamaged} when they are not what was encoded.
 */
export function decodeEntries(bytes: Uint8Array): Entry[] {
  let rows: unknown;
  try {
    rows = JSON.parse(decoder.decode(gunzipSync(bytes)));
  } catch (cause) {
    throw new RowDamaged("A listing does not have its checksum", { cause });
  }
  if (!Array.isArray(rows)) throw new RowDamaged("A listing is no list");
  return rows.map(parseEntry);
}

function parseEntry(row: unknown): ObjectEntry | DirectoryEntry {
  const fields: readonly unknown[] = Array.isArray(row) ? row : [];
  const [name, seconds, nanoseconds, sizeBytes, version, etag] = fields;
  const modified = typeof seconds === "number" && typeof nanoseconds === "number"
    ? { seconds, nanoseconds }
    : null;
  if (typeof name === "string" && fields.length === 3) {
    return { kind: "directory", name, modified, posix: null };
  }
  if (
    typeof name !== "string" || typeof sizeBytes !== "number" || typeof version !== "string" ||
    modified === null
  ) throw new RowDamaged("An entry of a listing has other fields");
  const tag = typeof etag === "string" ? etag : null;
  return { kind: "object", name, sizeBytes, modified, version, etag: tag, posix: null };
}
