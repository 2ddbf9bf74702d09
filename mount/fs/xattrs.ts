/**
 * Extended attributes `user.warpdrive.*`: where an object comes from. Answered by name and never
 * listed, because `cp -a` and `rsync -X` copy what is listed.
 */
import type { Entry } from "../../cache/backend/backend.ts";
import type { LazySignal } from "../fuse/messages.ts";
import type { Node } from "./nodes.ts";

const PREFIX = "user.warpdrive.";
/** Of the root of the mount: where it can be asked and steered. */
export const SOCKET_ATTRIBUTE = `${PREFIX}socket`;

/** The value of attribute `name`, or null when there is no such attribute. */
export function extendedAttribute(node: Node, name: string): string | null {
  if (node.volume === null || !name.startsWith(PREFIX)) return null;
  switch (name.slice(PREFIX.length)) {
    case "backend":
      return node.volume.name;
    case "key":
      return node.path;
    case "version":
      return objectOf(node.entry)?.version ?? null;
    case "etag": {
      const object = objectOf(node.entry);
      return object === null ? null : object.etag ?? object.version;
    }
    default:
      return null;
  }
}

/**
 * The value of `user.warpdrive.cached` or `.state`, which tell how much of an object is on this
 * machine; null for any other name, and for what is no object.
 */
export async function cacheAttribute(node: Node, name: string): Promise<string | null> {
  const object = objectOf(node.entry);
  const asked = name === `${PREFIX}cached` || name === `${PREFIX}state`;
  if (!asked || node.volume === null || object === null) return null;
  const keptBytes = await node.volume.objects.keptBytes(node.path, object);
  if (name === `${PREFIX}state`) {
    return node.volume.files === null ? stateOf(keptBytes, object.sizeBytes) : "local";
  }
  return String(percentOf(keptBytes ?? 0, object.sizeBytes));
}

/**
 * The value of `user.warpdrive.checksum`, such as `md5:` and 32 digits, asked of the store; null
 * for any other name, and where the store keeps none.
 */
export async function checksumAttribute(
  node: Node,
  name: string,
  signal: LazySignal,
): Promise<string | null> {
  const object = objectOf(node.entry);
  if (name !== `${PREFIX}checksum` || node.volume === null || object === null) return null;
  const checksum = await node.volume.backend.checksum(node.path, object.version, signal.get());
  return checksum === null ? null : `${checksum.digest}:${checksum.hex}`;
}

function stateOf(keptBytes: number | null, sizeBytes: number): string {
  if (keptBytes === null) return "uncached";
  if (keptBytes >= sizeBytes) return "complete";
  return keptBytes === 0 ? "absent" : "partial";
}

/** A hundred only when nothing is missing. */
function percentOf(keptBytes: number, sizeBytes: number): number {
  return sizeBytes === 0 ? 100 : Math.floor(100 * keptBytes / sizeBytes);
}

function objectOf(entry: Entry) {
  return entry.kind === "object" ? entry : null;
}
