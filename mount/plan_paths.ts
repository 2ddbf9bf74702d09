/** From paths as a plan names them to places on backends. Pure. */
import type { PlannedPath } from "../cache/plan/plan_files.ts";
import type { NamespaceNode } from "./namespace.ts";

/** Longest path of the system (PATH_MAX). */
const PATH_UNITS_MAX = 4_096;

/** Where a path leads, or why nowhere. */
export type LocatedPath =
  | { readonly kind: "located"; readonly at: PlannedPath }
  | { readonly kind: "unresolved"; readonly reason: string };

/** What is mounted where. */
export interface MountedTree {
  /** Absolute, without links. */
  readonly mountPoint: string;
  readonly space: NamespaceNode<{ readonly name: string }>;
}

/** The names on the way from the mount point to a path, or why it leads nowhere. */
export type PathSegments =
  | { readonly kind: "segments"; readonly segments: readonly string[] }
  | { readonly kind: "unresolved"; readonly reason: string };

/** The names that `path`, absolute or relative to the mount point, goes through; none: the root. */
export function segmentsOf(path: string, mountPoint: string): PathSegments {
  if (path.length > PATH_UNITS_MAX || path.includes("\0")) return unresolved("it is no path");
  const relative = path.startsWith("/") ? below(path, mountPoint) : path;
  if (relative === null) return unresolved(`it is not below "${mountPoint}"`);
  const segments = relative.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) return unresolved('".." is not followed');
  return { kind: "segments", segments };
}

/** Finds the file that `path`, absolute or relative to the mount point, names below the mount. */
export function locate(path: string, { mountPoint, space }: MountedTree): LocatedPath {
  const walked = segmentsOf(path, mountPoint);
  if (walked.kind === "unresolved") return walked;
  const { segments } = walked;
  let node: NamespaceNode<{ readonly name: string }> | null = space;
  let backend = space.volume?.name ?? null;
  let start = 0;
  segments.forEach((segment, index) => {
    node = node?.children.get(segment) ?? null;
    if (node === null || node.volume === null) return;
    backend = node.volume.name;
    start = index + 1;
  });
  // A directory of the tree has no bytes.
  if (node !== null) return unresolved("it is a directory");
  if (backend === null) return unresolved("no backend is mounted there");
  return { kind: "located", at: { backend, path: segments.slice(start).join("/") } };
}

function below(path: string, mountPoint: string): string | null {
  const prefix = mountPoint.endsWith("/") ? mountPoint : `${mountPoint}/`;
  if (path === mountPoint) return "";
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

function unresolved(reason: string): { readonly kind: "unresolved"; readonly reason: string } {
  return { kind: "unresolved", reason };
}
