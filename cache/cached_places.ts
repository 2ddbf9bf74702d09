/** From a path below a mount point to the parts of backends that are cached there. Pure. */

import { join } from "node:path/posix";

/** A backend as far as its place in the tree goes. */
export interface PlacedBackend {
  readonly name: string;
  /** Relative to the mount point; `""` is the mount point itself. */
  readonly mountPath: string;
  readonly source: { readonly type: string };
}

/** An object, or a directory and all below it; `""` is all of the backend. */
export interface CachedPlace {
  readonly backend: string;
  readonly path: string;
}

/** Where a path leads, or why nothing can be cached there. */
export type CachedPlaces =
  | { readonly kind: "places"; readonly places: readonly CachedPlace[] }
  | { readonly kind: "unresolved"; readonly reason: string };

/**
 * What `path`, absolute and without links, stands for: a part of the backend with the longest mount
 * path above it, and all of those mounted below it.
 */
export function cachedPlaces(
  path: string,
  mountPoint: string,
  backends: readonly PlacedBackend[],
): CachedPlaces {
  if (path.includes("\0")) return unresolved("it is no path");
  const names = namesOf(path);
  if (names.includes("..")) return unresolved('".." is not followed');
  const above = namesOf(mountPoint);
  if (!path.startsWith("/") || !startsWith(names, above)) {
    return unresolved(`it is not below "${mountPoint}"`);
  }
  const segments = names.slice(above.length);
  const placed = backends.map(({ name, mountPath, source }) => ({
    name,
    isCached: source.type !== "local",
    at: namesOf(mountPath),
  }));
  const [holder] = placed.filter(({ at }) => startsWith(segments, at))
    .sort((one, other) => other.at.length - one.at.length);
  const below = placed.filter(({ at }) => at.length > segments.length && startsWith(at, segments));
  const parts = [
    ...(holder === undefined
      ? []
      : [{ ...holder, path: segments.slice(holder.at.length).join("/") }]),
    ...below.map((backend) => ({ ...backend, path: "" })),
  ];
  if (parts.length === 0) return unresolved("no backend is mounted there");
  const places = parts.filter(({ isCached }) => isCached)
    .map(({ name, path }) => ({ backend: name, path }));
  if (places.length === 0) return unresolved("a local directory is read in place, and not cached");
  return { kind: "places", places };
}

/** The path below the mount point where `place` is seen; `BACKEND:PATH` where it is not mounted. */
export function shownPlace(
  { backend, path }: CachedPlace,
  mountPoint: string,
  backends: readonly PlacedBackend[],
): string {
  const placed = backends.find(({ name }) => name === backend);
  return placed === undefined ? `${backend}:${path}` : join(mountPoint, placed.mountPath, path);
}

function namesOf(path: string): readonly string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function startsWith(names: readonly string[], start: readonly string[]): boolean {
  return start.every((name, index) => names[index] === name);
}

function unresolved(reason: string): CachedPlaces {
  return { kind: "unresolved", reason };
}
