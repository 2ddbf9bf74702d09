/**
 * Bytes of one kernel message → a {@linkcode Request}. Short, unknown and inconsistent input is a
 * value, never an exception: the session answers it and goes on.
 */
import { decodeName } from "../../cache/platform/byte_name.ts";
import {
  IN_HEADER_BYTES,
  OP_READDIRPLUS,
  type OpcodeRow,
  OPCODES,
  SEEK_DATA,
  SEEK_HOLE,
} from "./abi.ts";
import { RecordsBuffer } from "./encode.ts";
import { handleId, nodeId, requestId, ROOT_NODE } from "./ids.ts";
import type {
  Forgotten,
  InitRequest,
  MalformedMessage,
  NodeId,
  Operation,
  Request,
  RequestHeader,
  RequestId,
} from "./messages.ts";

/** Name of every operation that is not in the table of `abi.ts`. */
export const UNKNOWN_OPERATION = "unknown";

/** What one message turned out to be. */
export type Decoded =
  | { readonly kind: "request"; readonly request: Request; readonly opName: string }
  | { readonly kind: "interrupt"; readonly target: RequestId }
  | { readonly kind: "init"; readonly init: InitRequest }
  | { readonly kind: "malformed"; readonly message: MalformedMessage };

/** A body that does not fit its layout; caught in this file. */
class LayoutError extends Error {}

/** Decodes the message in the first `length` bytes of `bytes`. */
export function decode(bytes: Uint8Array<ArrayBuffer>, length: number): Decoded {
  if (length < IN_HEADER_BYTES) return malformed(null, `${length} bytes are no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let id: RequestId | null = null;
  try {
    id = readRequestId(view, 8);
    return decodeMessage(view, bytes, id);
  } catch (error) {
    if (error instanceof LayoutError) return malformed(id, error.message);
    throw error;
  }
}

function decodeMessage(view: DataView, bytes: Uint8Array<ArrayBuffer>, id: RequestId): Decoded {
  const length = view.byteLength;
  if (view.getUint32(0, true) !== length) {
    return malformed(id, `its header says ${view.getUint32(0, true)} bytes of ${length}`);
  }
  const opcode = view.getUint32(4, true);
  const row = OPCODES.get(opcode);
  if (length < IN_HEADER_BYTES + (row?.bodyBytesMin ?? 0)) {
    return malformed(id, `${length} bytes are too few for ${row?.name}`);
  }
  if (row?.layout === "init") return { kind: "init", init: readInit(view, id) };
  if (row?.layout === "interrupt") {
    return { kind: "interrupt", target: readRequestId(view, IN_HEADER_BYTES) };
  }
  const request = { ...readHeader(view, id), ...readOperation(row, opcode, view, bytes) };
  return { kind: "request", request, opName: row?.name ?? UNKNOWN_OPERATION };
}

function malformed(id: RequestId | null, reason: string): Decoded {
  return { kind: "malformed", message: { id, reason } };
}

function readHeader(view: DataView, id: RequestId): RequestHeader {
  const node = readUint64(view, 16);
  return {
    id,
    // Requests about no inode (BATCH_FORGET, STATFS of older kernels) carry node 0.
    node: node === 0 ? ROOT_NODE : nodeId(node),
    uid: view.getUint32(24, true),
    gid: view.getUint32(28, true),
    pid: view.getUint32(32, true),
  };
}

function readOperation(
  row: OpcodeRow | undefined,
  opcode: number,
  view: DataView,
  bytes: Uint8Array<ArrayBuffer>,
): Operation {
  if (row === undefined) return { op: "unsupported", name: `opcode ${opcode}` };
  if (row.treatment === "modify") return { op: "modify", name: row.name };
  if (row.treatment === "unsupported") return { op: "unsupported", name: row.name };
  const body = IN_HEADER_BYTES;
  switch (row.name) {
    case "read":
      return {
        op: "read",
        handle: handleId(readUint64(view, body)),
        offset: readUint64(view, body + 8),
        size: view.getUint32(body + 16, true),
      };
    case "lookup":
      return { op: "lookup", name: readName(view, bytes, body) };
    case "getattr":
    case "statx":
    case "readlink":
    case "flush":
    case "opendir":
    case "statfs":
    case "ioctl":
    case "destroy":
      return { op: row.name };
    case "open":
      return { op: "open", flags: view.getUint32(body, true) };
    case "release":
    case "releasedir":
      return { op: row.name, handle: handleId(readUint64(view, body)) };
    case "forget":
      return {
        op: "forget",
        forgotten: [{ node: readNode(view, 16), lookups: readUint64(view, body) }],
      };
    case "batch_forget":
      return { op: "forget", forgotten: readBatch(view) };
    case "readdir":
    case "readdirplus":
      return {
        op: "readdir",
        handle: handleId(readUint64(view, body)),
        cookie: readUint64(view, body + 8),
        records: new RecordsBuffer(view.getUint32(body + 16, true), opcode === OP_READDIRPLUS),
      };
    case "access":
      return { op: "access", mask: view.getUint32(body, true) };
    case "lseek":
      return readSeek(view);
    case "getxattr":
      return {
        op: "getxattr",
        size: view.getUint32(body, true),
        name: readName(view, bytes, body + 8),
      };
    case "listxattr":
      return { op: "listxattr", size: view.getUint32(body, true) };
    default:
      throw new LayoutError(`${row.name} has no decoder`);
  }
}

function readBatch(view: DataView): Forgotten[] {
  const count = view.getUint32(IN_HEADER_BYTES, true);
  const first = IN_HEADER_BYTES + 8;
  if (first + count * 16 > view.byteLength) {
    throw new LayoutError(`${count} forgotten nodes do not fit ${view.byteLength} bytes`);
  }
  return Array.from({ length: count }, (_, index) => ({
    node: readNode(view, first + index * 16),
    lookups: readUint64(view, first + index * 16 + 8),
  }));
}

function readSeek(view: DataView): Operation {
  const whence = view.getUint32(IN_HEADER_BYTES + 16, true);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) {
    throw new LayoutError(`lseek has whence ${whence}`);
  }
  return {
    op: "lseek",
    handle: handleId(readUint64(view, IN_HEADER_BYTES)),
    offset: readUint64(view, IN_HEADER_BYTES + 8),
    whence: whence === SEEK_DATA ? "data" : "hole",
  };
}

function readInit(view: DataView, id: RequestId): InitRequest {
  const body = IN_HEADER_BYTES;
  const flags = view.getUint32(body + 12, true);
  // Kernels before 5.17 send 16 bytes; later ones fill `flags2` and say so with INIT_EXT.
  const extended = view.byteLength >= body + 20 && (flags & (1 << 30)) !== 0;
  const flags2 = extended ? view.getUint32(body + 16, true) : 0;
  return {
    id,
    major: view.getUint32(body, true),
    minor: view.getUint32(body + 4, true),
    readAheadBytes: view.getUint32(body + 8, true),
    flags: BigInt(flags) | (BigInt(flags2) << 32n),
  };
}

/** The name that starts at `offset`; the kernel ends every name with a NUL. */
function readName(view: DataView, bytes: Uint8Array<ArrayBuffer>, offset: number): string {
  const end = bytes.indexOf(0, offset);
  if (end < 0 || end >= view.byteLength) throw new LayoutError("its name does not end");
  return decodeName(bytes.subarray(offset, end));
}

function readNode(view: DataView, offset: number): NodeId {
  const value = readUint64(view, offset);
  if (value === 0) throw new LayoutError("node 0 was never handed out");
  return nodeId(value);
}

function readUint64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
  if (!Number.isSafeInteger(value)) throw new LayoutError(`${value} is beyond 2^53`);
  return value;
}

/** A request id; the kernel counts them up from 0, so they stay far below 2^53. */
function readRequestId(view: DataView, offset: number): RequestId {
  return requestId(readUint64(view, offset));
}
