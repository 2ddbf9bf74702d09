/** Status of a local file → the entry a backend shows of it. */
import type { FileStatus } from "../../platform/file_status.ts";
import type { Entry } from "../backend.ts";

/** The entry that `status` describes; null for pipes, sockets and devices, which are not shown. */
export function localEntry(name: string, status: FileStatus): Entry | null {
  const { permissions, uid, gid, links, blocks, accessed, changed, modified, sizeBytes } = status;
  const posix = { permissions, uid, gid, links, blocks, accessed, changed };
  switch (status.type) {
    case "file": {
      const version = fileVersion(status);
      return { kind: "object", name, sizeBytes, modified, version, etag: null, posix };
    }
    case "directory":
      return { kind: "directory", name, modified, posix };
    case "symlink":
      return { kind: "symlink", name, sizeBytes, modified, posix };
    case "other":
      return null;
  }
}

/** Whether two versions are of one file, written to or not: the same device and inode. */
export function isSameFile(version: string, other: string): boolean {
  const [device, inode] = version.split("-");
  const [otherDevice, otherInode] = other.split("-");
  return device === otherDevice && inode === otherInode;
}

/** (dev, ino, size, mtime, ctime): changes with every write that a file system reports. */
function fileVersion(status: FileStatus): string {
  const { deviceMajor, deviceMinor, inode, sizeBytes, modified, changed } = status;
  return [
    `${deviceMajor}.${deviceMinor}`,
    inode.toString(36),
    sizeBytes.toString(36),
    `${modified.seconds.toString(36)}.${modified.nanoseconds.toString(36)}`,
    `${changed.seconds.toString(36)}.${changed.nanoseconds.toString(36)}`,
  ].join("-");
}
