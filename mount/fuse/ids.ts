/** Kernel numbers as branded ids: the one place that vouches for their range. */
import { assert } from "../../cache/platform/assert.ts";
import type { HandleId, NodeId, RequestId } from "./messages.ts";

/** The root of every mount (FUSE_ROOT_ID). */
export const ROOT_NODE: NodeId = nodeId(1);

/** `value` as a node id. */
export function nodeId(value: number): NodeId {
  assert(isNodeId(value), `Node id ${value} is outside 1 to 2^53`);
  return value;
}

/** `value` as a handle id. */
export function handleId(value: number): HandleId {
  assert(isHandleId(value), `Handle id ${value} is outside 0 to 2^53`);
  return value;
}

/** `value` as a request id. */
export function requestId(value: number): RequestId {
  assert(isRequestId(value), `Request id ${value} is outside 0 to 2^53`);
  return value;
}

function isNodeId(value: number): value is NodeId {
  return Number.isSafeInteger(value) && value > 0;
}

function isHandleId(value: number): value is HandleId {
  return Number.isSafeInteger(value) && value >= 0;
}

function isRequestId(value: number): value is RequestId {
  return Number.isSafeInteger(value) && value >= 0;
}
