/** Records of a local directory, as getdents64(2) returns them (struct linux_dirent64). */
import { decodeName } from "../../platform/byte_name.ts";

/** What a name is, from d_type; `unknown` where the file system does not say. */
export type NamedType = "object" | "directory" | "symlink" | "other" | "unknown";

/** One name of a directory. */
export interface DirectoryName {
  readonly name: string;
  readonly type: NamedType;
}

const DT_TYPES: ReadonlyMap<number, NamedType> = new Map([
  [0, "unknown"],
  [4, "directory"],
  [8, "object"],
  [10, "symlink"],
]);

const RECORD_HEADER_BYTES = 19;

/** The names in `bytes`, without `.` and `..`, and the position after the last of them. */
export function parseDirectoryRecords(bytes: Uint8Array<ArrayBuffer>): {
  readonly names: DirectoryName[];
  readonly position: bigint;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names: DirectoryName[] = [];
  let position = 0n;
  for (let offset = 0; offset + RECORD_HEADER_BYTES <= bytes.length;) {
    position = view.getBigInt64(offset + 8, true);
    const length = view.getUint16(offset + 16, true);
    const start = offset + RECORD_HEADER_BYTES;
    const name = decodeName(bytes.subarray(start, bytes.indexOf(0, start)));
    if (name !== "." && name !== "..") {
      names.push({ name, type: DT_TYPES.get(view.getUint8(offset + 18)) ?? "other" });
    }
    offset += length;
  }
  return { names, position };
}
