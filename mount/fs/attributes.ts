/** What stat(2) shows of an entry. */
import type { Entry, Timestamp } from "../../cache/backend/backend.ts";
import { unreachable } from "../../cache/platform/assert.ts";
import type { Attributes } from "../fuse/messages.ts";

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** Owner and permission bits of objects that have none of their own. */
export interface DefaultAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly fileMode: number;
  readonly directoryMode: number;
  /** Time of directories whose store keeps none: when the mount was made. */
  readonly directoryModified: Timestamp;
}

/** File type bits of `kind`. */
export function typeBits(kind: Entry["kind"]): number {
  switch (kind) {
    case "object":
      return S_IFREG;
    case "directory":
      return S_IFDIR;
    case "symlink":
      return S_IFLNK;
    default:
      return unreachable(kind);
  }
}

/** The attributes of `entry` as inode `inode`. */
export function attributesOf(
  entry: Entry,
  inode: number,
  defaults: DefaultAttributes,
): Attributes {
  const { posix } = entry;
  const modified = entry.modified ?? defaults.directoryModified;
  const sizeBytes = entry.kind === "directory" ? 0 : entry.sizeBytes;
  const permissions = entry.kind === "directory" ? defaults.directoryMode : defaults.fileMode;
  return {
    inode,
    sizeBytes,
    // An object has no allocation of its own; `du` should add up its bytes.
    blocks: posix?.blocks ?? Math.ceil(sizeBytes / 512),
    accessed: posix?.accessed ?? modified,
    modified,
    changed: posix?.changed ?? modified,
    mode: typeBits(entry.kind) | (posix?.permissions ?? permissions),
    // A store does not count subdirectories; 2 is what an empty directory has.
    links: posix?.links ?? (entry.kind === "directory" ? 2 : 1),
    uid: posix?.uid ?? defaults.uid,
    gid: posix?.gid ?? defaults.gid,
  };
}
