/** Paths that must not lie in one another: a mount would read itself. Pure, on absolute paths. */
import { normalize } from "node:path/posix";

/** Whether `inner` is `outer` or lies below it. */
export function pathContains(outer: string, inner: string): boolean {
  const above = asDirectory(outer);
  return asDirectory(inner).startsWith(above);
}

/** Whether one of the two contains the other. */
export function pathsOverlap(one: string, other: string): boolean {
  return pathContains(one, other) || pathContains(other, one);
}

function asDirectory(path: string): string {
  return normalize(path).replace(/\/*$/, "/");
}
