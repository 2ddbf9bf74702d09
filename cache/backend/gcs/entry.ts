/** Objects of Cloud Storage, as its JSON API writes them, and as entries of directories. */
import { z } from "zod";
import {
  type DirectoryEntry,
  type Entry,
  listableName,
  type ListPage,
  type ObjectEntry,
  type Timestamp,
} from "../backend.ts";
import { type Checksum, hexOfBase64 } from "../checksum.ts";

/** An object. Numbers are written as text, because they may have 64 bits. */
export const STORED_OBJECT = z.object({
  name: z.string(),
  size: z.string().regex(/^\d+$/),
  generation: z.string().regex(/^\d+$/),
  timeCreated: z.iso.datetime({ offset: true }),
  etag: z.string().optional(),
});

/** The fields of {@linkcode STORED_OBJECT}: all the service should send. */
export const OBJECT_FIELDS = "name,size,generation,timeCreated,etag";

/** An object as the service describes it. */
export type StoredObject = z.infer<typeof STORED_OBJECT>;

/** What the service keeps as checksums, in base64; no listing needs them. */
export const STORED_CHECKSUM = z.object({
  generation: z.string().regex(/^\d+$/),
  /** An object that was composed of others has none. */
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
});

/** The fields of {@linkcode STORED_CHECKSUM}. */
export const CHECKSUM_FIELDS = "generation,md5Hash,crc32c";

/** The stronger checksum of what is `stored`; null where the service tells none. */
export function checksumOf({ md5Hash, crc32c }: z.infer<typeof STORED_CHECKSUM>): Checksum | null {
  if (md5Hash !== undefined) return { digest: "md5", hex: hexOfBase64(md5Hash) };
  return crc32c === undefined ? null : { digest: "crc32c", hex: hexOfBase64(crc32c) };
}

/** A page of a listing. */
export const OBJECT_LISTING = z.object({
  /** What nothing but this service says. */
  kind: z.literal("storage#objects"),
  items: z.array(STORED_OBJECT).prefault([]),
  prefixes: z.array(z.string()).prefault([]),
  nextPageToken: z.string().optional(),
});

/** The fields of {@linkcode OBJECT_LISTING}. */
export const LISTING_FIELDS = `kind,nextPageToken,prefixes,items(${OBJECT_FIELDS})`;

/** The object `name`, which is `stored`. */
export function objectEntry(name: string, stored: StoredObject): ObjectEntry {
  return {
    kind: "object",
    name,
    sizeBytes: Number(stored.size),
    // Not when it was updated: changing metadata changes that, and no byte.
    modified: timestampOf(stored.timeCreated),
    version: stored.generation,
    etag: stored.etag ?? null,
    posix: null,
  };
}

/** The directory `name`: keys below it are all there is of one. */
export function directoryEntry(name: string): DirectoryEntry {
  return { kind: "directory", name, modified: null, posix: null };
}

/** The page of directory `prefix` (`""`, or with its trailing slash) that a listing answered. */
export function listPage(prefix: string, answer: z.infer<typeof OBJECT_LISTING>): ListPage {
  const byName = new Map<string, Entry>();
  let unlistable = 0;
  for (const stored of answer.items) {
    // The placeholder `dir/` is the very directory that is listed.
    if (stored.name === prefix) continue;
    const name = stored.name.slice(prefix.length);
    if (listableName(name)) byName.set(name, objectEntry(name, stored));
    else unlistable += 1;
  }
  for (const found of answer.prefixes) {
    const name = found.slice(prefix.length, -1);
    if (!listableName(name)) unlistable += 1;
    // An object of the same name is shadowed.
    else byName.set(name, directoryEntry(name));
  }
  const next = answer.nextPageToken ?? "";
  return { entries: [...byName.values()], next: next === "" ? null : next, unlistable };
}

/** RFC 3339, of which the service writes milliseconds. */
function timestampOf(written: string): Timestamp {
  const ms = Date.parse(written);
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: (ms - seconds * 1000) * 1_000_000 };
}
