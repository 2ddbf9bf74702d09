/** Paths of the contract and keys of stores that have no directories. */
import { BackendError, type BackendOperation, listableName } from "./backend.ts";
import { isUnicodeName } from "../platform/byte_name.ts";

/** Whether an object can be called `path`, and a file system could show it. */
export function isReachable(path: string): boolean {
  return path === "" || (isUnicodeName(path) && path.split("/").every(listableName));
}

/**
 * Makes sure that `path` can be the name of a new object of `backend`.
 *
 * @throws {BackendError} `invalid` when it cannot.
 */
export function requireReachable(
  backend: string,
  operation: BackendOperation,
  path: string,
): void {
  if (path !== "" && isReachable(path)) return;
  throw new BackendError(
    "invalid",
    backend,
    operation,
    path,
    "a name has to be valid Unicode, of segments that are not empty and of at most 255 bytes",
  );
}

/** The key of `path` in a store of which only what is below `prefix` is shown. */
export function keyBelow(prefix: string, path: string): string {
  return prefix === "" || path === "" ? prefix + path : `${prefix}/${path}`;
}
