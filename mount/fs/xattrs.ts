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
 * The value of an attribute that has to be asked for: `user.warpdrive.cached` and `.state` say how
 * much of an object is on this machine, `.checksum` what its store knows of its bytes, such as
 * `md5:` and 32 digits, or `crc32c:` and 8. Null for any other name, for what is no object, and for
 * what nobody knows.
 */
export async function askedAttribute(
  node: Node,
  name: string,
  signal: LazySignal,
): Promise<string | null> {
  const { volume, path } = node;
  const object = objectOf(node.entry);
  if (volume === null || object === null) return null;
  switch (name) {
    case `${PREFIX}cached`:
      return String(percentOf(await volume.objects.keptBytes(path, object) ?? 0, object.sizeBytes));
    case `${PREFIX}state`: {
      const keptBytes = await volume.objects.keptBytes(path, object);
      return volume.files === null ? stateOf(keptBytes, object.sizeBytes) : "local";
    }
    case `${PREFIX}checksum`: {
      const checksum = await volume.backend.checksum(path, object.version, signal.get());
      return checksum === null ? null : `${checksum.digest}:${checksum.hex}`;
    }
    default:
      return null;
  }
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
