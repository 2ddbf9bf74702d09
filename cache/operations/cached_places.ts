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

/** A mount point and what is mounted below it. */
export interface CachedTree {
  readonly mountPoint: string;
  readonly backends: readonly PlacedBackend[];
}

/** What several paths stand for, or the first of them where nothing can be cached. */
export type SelectedPaths =
  | { readonly kind: "selected"; readonly paths: readonly SelectedPath[] }
  | { readonly kind: "unresolved"; readonly path: string; readonly reason: string };

/** A path and what it stands for. */
export interface SelectedPath {
  readonly path: string;
  readonly places: readonly CachedPlace[];
}

/** What `paths`, absolute or relative to the mount point, stand for. */
export function selectPaths(
  paths: readonly string[],
  { mountPoint, backends }: CachedTree,
): SelectedPaths {
  const selected: SelectedPath[] = [];
  for (const path of paths) {
    const absolute = path.startsWith("/") ? path : `${mountPoint}/${path}`;
    const found = cachedPlaces(absolute, mountPoint, backends);
    if (found.kind === "unresolved") return { ...found, path };
    selected.push({ path, places: found.places });
  }
  return { kind: "selected", paths: selected };
}

/** The places of `paths`, those left out that are below another one: each object once. */
export function distinctPlaces(paths: readonly SelectedPath[]): readonly CachedPlace[] {
  const places = new Map(
    paths.flatMap((path) => path.places).map((place) => [nameOf(place), place]),
  );
  return [...places.values()].filter(({ backend, path }) =>
    !directoriesAbove(path).some((above) => places.has(nameOf({ backend, path: above })))
  );
}

function nameOf({ backend, path }: CachedPlace): string {
  return `${backend}\0${path}`;
}

/** All directories that hold `path`, the backend itself included. */
function directoriesAbove(path: string): readonly string[] {
  if (path === "") return [];
  const names = path.split("/");
  return names.map((_, count) => names.slice(0, count).join("/"));
}

/** The path below the mount point where `place` is seen; `BACKEND:PATH` where it is not mounted. */
export function shownPlace(
  { backend, path }: CachedPlace,
  { mountPoint, backends }: CachedTree,
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
