/** What the index keeps of an object version. */
import { crc32 } from "node:zlib";
import type { Timestamp } from "../backend/backend.ts";
import { type ChunkRow, ROW_CHUNKS } from "../object/chunk_map.ts";

/** Names one version of one object. */
export interface ObjectVersion {
  readonly backend: string;
  /** Relative to the backend, as in `backend/backend.ts`. */
  readonly path: string;
  readonly version: string;
}

/** An object version that enters the cache; nothing of it is cached yet. */
export interface NewObject extends ObjectVersion {
  readonly etag: string | null;
  readonly sizeBytes: number;
  readonly modified: Timestamp;
  /** Whose read or warm brought it in. */
  readonly uid: number;
  readonly lastAccessMs: number;
  readonly pinned: boolean;
}

/** An object version in the cache. */
export interface CachedRow extends NewObject {
  /** Names its data file too. Never given to another object, not even after a removal. */
  readonly id: number;
  readonly cachedBytes: number;
}

/** What changed of one object since its last commit. */
export interface ObjectChange {
  readonly id: number;
  /** Rows as they are now; one without a present chunk is deleted. */
  readonly blocks: readonly ChunkRow[];
  readonly cachedBytes: number;
  readonly lastAccessMs: number;
}

/** Objects and bytes of the cache. */
export interface Totals {
  readonly objects: number;
  readonly cachedBytes: number;
}

/** What the objects one user brought in from one backend take. */
export interface Usage extends Totals {
  readonly backend: string;
  readonly uid: number;
}

/** Where an iteration by last access stands: after the row that has these. */
export type RowPosition = Pick<CachedRow, "lastAccessMs" | "id">;

/** A value SQLite gave. */
export type SqlValue = null | number | bigint | string | Uint8Array<ArrayBufferLike>;

/** A row SQLite gave, by column. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A row is not what was written: the disk changed it. */
export class RowDamaged extends Error {
  override readonly name = "RowDamaged";
}

/** CRC32 of what does not change about an object, as `objects.identity_crc` keeps it. */
export function identityCrc(id: number, object: NewObject): number {
  const { backend, path, version, etag, sizeBytes, modified, uid } = object;
  const { seconds, nanoseconds } = modified;
  return crc32(
    JSON.stringify([id, backend, path, version, etag, sizeBytes, seconds, nanoseconds, uid]),
  );
}

/**
 * Reads a row of `objects`.
 *
 * @throws {RowDamaged} when it does not have its checksum.
 */
export function parseObject(row: SqlRow): CachedRow {
  const etag = row["etag"];
  const object: CachedRow = {
    id: integer(row, "id"),
    backend: text(row, "backend"),
    path: text(row, "path"),
    version: text(row, "version"),
    etag: typeof etag === "string" ? etag : null,
    sizeBytes: integer(row, "size_bytes"),
    modified: { seconds: integer(row, "modified_s"), nanoseconds: integer(row, "modified_ns") },
    uid: integer(row, "uid"),
    cachedBytes: integer(row, "cached_bytes"),
    lastAccessMs: integer(row, "last_access_ms"),
    pinned: integer(row, "pinned") === 1,
  };
  const isWhole = integer(row, "identity_crc") === identityCrc(object.id, object) &&
    object.cachedBytes >= 0 && object.cachedBytes <= object.sizeBytes;
  if (!isWhole) throw new RowDamaged(`Object ${object.id} does not have its checksum`);
  return object;
}

/** Reads a row of `blocks`. */
export function parseBlock(row: SqlRow): ChunkRow {
  const crcs = row["crcs"];
  if (!(crcs instanceof Uint8Array) || crcs.length !== ROW_CHUNKS * 4) {
    throw new RowDamaged("The checksums of a block have another length");
  }
  return {
    row: integer(row, "block"),
    present: integer(row, "present") >>> 0,
    crcs: new Uint8Array(crcs),
  };
}

/** Column `name` of `row` as an integer. */
export function integer(row: SqlRow, name: string): number {
  const value = row[name];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new RowDamaged(`Column "${name}" holds no integer`);
}

/** Column `name` of `row` as text. */
export function text(row: SqlRow, name: string): string {
  const value = row[name];
  if (typeof value === "string") return value;
  throw new RowDamaged(`Column "${name}" holds no text`);
}
