/** Objects of S3 as entries of directories. */
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import {
  type DirectoryEntry,
  type Entry,
  listableName,
  type ListPage,
  type ObjectEntry,
} from "../backend.ts";

/** Properties of an object as listings and HEAD both give them. */
export interface ObjectFacts {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modified: Date;
}

/** The object `name` with `facts`. */
export function objectEntry(name: string, facts: ObjectFacts): ObjectEntry {
  const etag = facts.etag.replaceAll('"', "");
  // Some servers list fractions of a second, which HEAD cannot show.
  const seconds = Math.floor(facts.modified.getTime() / 1000);
  return {
    kind: "object",
    name,
    sizeBytes: facts.sizeBytes,
    modified: { seconds, nanoseconds: 0 },
    version: etag,
    etag: etag === "" ? null : etag,
    posix: null,
  };
}

/** The directory `name`: keys below it are all there is of one. */
export function directoryEntry(name: string): DirectoryEntry {
  return { kind: "directory", name, modified: null, posix: null };
}

/** The page of directory `prefix` (`""`, or with its trailing slash) that a listing answered. */
export function listPage(prefix: string, answer: ListObjectsV2CommandOutput): ListPage {
  const byName = new Map<string, Entry>();
  let unlistable = 0;
  const encoded = answer.EncodingType === "url";
  for (const { Key, ETag, Size, LastModified } of answer.Contents ?? []) {
    const key = keyOf(Key, encoded);
    // The placeholder `dir/` is the very directory that is listed.
    if (key === prefix) continue;
    const name = key.slice(prefix.length);
    if (!listableName(name)) {
      unlistable += 1;
      continue;
    }
    const modified = LastModified ?? new Date(0);
    byName.set(name, objectEntry(name, { etag: ETag ?? "", sizeBytes: Size ?? 0, modified }));
  }
  for (const { Prefix } of answer.CommonPrefixes ?? []) {
    const name = keyOf(Prefix, encoded).slice(prefix.length, -1);
    if (!listableName(name)) unlistable += 1;
    // An object of the same name is shadowed.
    else byName.set(name, directoryEntry(name));
  }
  const more = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
  return { entries: [...byName.values()], next: more ?? null, unlistable };
}

/** Listings encode keys as forms do, because XML cannot hold every character of them. */
function keyOf(written: string | undefined, encoded: boolean): string {
  const text = written ?? "";
  return encoded ? decodeURIComponent(text.replaceAll("+", "%20")) : text;
}
