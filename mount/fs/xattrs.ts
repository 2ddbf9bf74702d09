/**
 * Extended attributes `user.warpdrive.*`: where an object comes from. Answered by name and never
 * listed, because `cp -a` and `rsync -X` copy what is listed.
 */
import type { Entry } from "../../cache/backend/backend.ts";
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

function objectOf(entry: Entry) {
  return entry.kind === "object" ? entry : null;
}
