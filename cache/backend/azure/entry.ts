/** Blobs as entries of directories. */
import type { BlobItem, BlobPrefix } from "@azure/storage-blob";
import {
  type DirectoryEntry,
  type Entry,
  listableName,
  type ListPage,
  type ObjectEntry,
  type Timestamp,
} from "../backend.ts";

/** Properties of a blob as listings and HEAD both give them. */
export interface BlobFacts {
  readonly etag: string;
  readonly contentLength: number;
  readonly lastModified: Date;
}

/** The object `name` with `facts`. */
export function objectEntry(name: string, facts: BlobFacts): ObjectEntry {
  // HEAD quotes the ETag, a listing does not.
  const etag = facts.etag.replaceAll('"', "");
  return {
    kind: "object",
    name,
    sizeBytes: facts.contentLength,
    modified: timestamp(facts.lastModified),
    version: etag,
    etag,
    posix: null,
  };
}

/** The directory `name`; a placeholder object gives it a date. */
export function directoryEntry(name: string, modified: Date | null): DirectoryEntry {
  return {
    kind: "directory",
    name,
    modified: modified === null ? null : timestamp(modified),
    posix: null,
  };
}

/**
 * Whether the metadata of an object say that it stands for a directory. Data Lake and the tools
 * built on Hadoop write such empty objects under the directory's own name.
 */
export function isDirectoryMarker(
  metadata: Readonly<Record<string, string>> | undefined,
): boolean {
  // Header names lose their case on the way, names in listings keep it.
  return Object.entries(metadata ?? {}).some(([name, value]) =>
    name.toLowerCase() === "hdi_isfolder" && value.toLowerCase() === "true"
  );
}

/** The page of directory `prefix` (`""`, or with its trailing slash) that a listing answered. */
export function listPage(
  prefix: string,
  prefixes: readonly BlobPrefix[],
  blobs: readonly BlobItem[],
  next: string | undefined,
): ListPage {
  const byName = new Map<string, Entry>();
  let unlistable = 0;
  for (const blob of blobs) {
    // The placeholder `dir/` is the very directory that is listed.
    if (blob.name === prefix) continue;
    const name = blob.name.slice(prefix.length);
    if (!listableName(name)) unlistable += 1;
    else if (isDirectoryMarker(blob.metadata)) {
      byName.set(name, directoryEntry(name, blob.properties.lastModified));
    } else {
      byName.set(
        name,
        objectEntry(name, {
          etag: blob.properties.etag,
          contentLength: blob.properties.contentLength ?? 0,
          lastModified: blob.properties.lastModified,
        }),
      );
    }
  }
  for (const { name: key } of prefixes) {
    const name = key.slice(prefix.length, -1);
    if (!listableName(name)) unlistable += 1;
    // A marker of the same name knows more; an object of the same name is shadowed.
    else if (byName.get(name)?.kind !== "directory") byName.set(name, directoryEntry(name, null));
  }
  // The service says "" on the last page.
  return { entries: [...byName.values()], next: next || null, unlistable };
}

function timestamp(date: Date): Timestamp {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: (ms - seconds * 1000) * 1_000_000 };
}
