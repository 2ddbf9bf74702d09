import { decodeName } from "../../cache/platform/byte_name.ts";
import { nodeId } from "../../mount/fuse/ids.ts";
import type { NodeId } from "../../mount/fuse/messages.ts";

/** A record as the kernel reads it from the reply to READDIR or READDIRPLUS. */
export interface ReadRecord {
  readonly name: string;
  readonly inode: number;
  readonly cookie: number;
  /** File type bits of a mode. */
  readonly type: number;
  /** Of READDIRPLUS; null where the kernel counts no lookup. */
  readonly node: NodeId | null;
  /** How long the kernel may believe the name. */
  readonly entryValidSeconds: number;
}

const ENTRY_BYTES = 128;
const HEADER_BYTES = 24;

/** Records of struct fuse_dirent, or fuse_direntplus. */
export function parseRecords(bytes: Uint8Array<ArrayBuffer>, plus: boolean): ReadRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: ReadRecord[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const header = offset + (plus ? ENTRY_BYTES : 0);
    const nameBytes = view.getUint32(header + 16, true);
    const node = plus ? Number(view.getBigUint64(offset, true)) : 0;
    const start = header + HEADER_BYTES;
    records.push({
      name: decodeName(bytes.subarray(start, start + nameBytes)),
      inode: Number(view.getBigUint64(header, true)),
      cookie: Number(view.getBigUint64(header + 8, true)),
      type: view.getUint32(header + 20, true) << 12,
      node: node === 0 ? null : nodeId(node),
      entryValidSeconds: node === 0 ? 0 : Number(view.getBigUint64(offset + 16, true)),
    });
    offset = start + Math.ceil(nameBytes / 8) * 8;
  }
  return records;
}
