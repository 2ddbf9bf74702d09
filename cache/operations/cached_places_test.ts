import { deepEqual, equal } from "node:assert/strict";
import {
  cachedPlaces,
  distinctPlaces,
  type PlacedBackend,
  selectPaths,
  shownPlace,
} from "./cached_places.ts";

const BACKENDS: readonly PlacedBackend[] = [
  { name: "images", mountPath: "sets/images", source: { type: "azureblob" } },
  { name: "crops", mountPath: "sets/images/crops", source: { type: "azureblob" } },
  { name: "texts", mountPath: "texts", source: { type: "azureblob" } },
  { name: "home", mountPath: "home", source: { type: "local" } },
];

const TREE = { mountPoint: "/mnt/wd", backends: BACKENDS };

function at(path: string, backends = BACKENDS): readonly string[] | string {
  const found = cachedPlaces(path, "/mnt/wd", backends);
  return found.kind === "unresolved"
    ? found.reason
    : found.places.map(({ backend, path }) => `${backend}:${path}`);
}

Deno.test("a path leads to the backend with the longest mount path above it", () => {
  deepEqual(at("/mnt/wd/sets/images/train/a.tar"), ["images:train/a.tar"]);
  deepEqual(at("/mnt/wd/sets/images/crops/a.tar"), ["crops:a.tar"]);
  deepEqual(at("/mnt/wd//texts/./b/"), ["texts:b"]);
});

Deno.test("a directory takes in all backends mounted at it and below it", () => {
  deepEqual(at("/mnt/wd/sets/images"), ["images:", "crops:"]);
  deepEqual(at("/mnt/wd/sets"), ["images:", "crops:"]);
  deepEqual(at("/mnt/wd"), ["images:", "crops:", "texts:"]);
  deepEqual(at("/mnt/wd/sets/images/crop"), ["images:crop"]);
});

Deno.test("a backend at the mount point itself holds what no other one does", () => {
  const root = { name: "root", mountPath: "", source: { type: "azureblob" } };
  deepEqual(at("/mnt/wd/a/b", [...BACKENDS, root]), ["root:a/b"]);
  deepEqual(at("/mnt/wd/texts", [...BACKENDS, root]), ["texts:"]);
  deepEqual(at("/mnt/wd", [root]), ["root:"]);
});

Deno.test("a path where nothing can be cached is told why", () => {
  deepEqual(at("/mnt/wd/home/a"), "a local directory is read in place, and not cached");
  deepEqual(at("/mnt/wd/other"), "no backend is mounted there");
  deepEqual(at("/mnt/wdx/texts"), 'it is not below "/mnt/wd"');
  deepEqual(at("texts/a"), 'it is not below "/mnt/wd"');
  deepEqual(at("/mnt/wd/texts/../home"), '".." is not followed');
});

Deno.test("a place is shown where it is mounted, or by the name of its backend", () => {
  const shown = (backend: string) => shownPlace({ backend, path: "a/b" }, TREE);
  equal(shown("crops"), "/mnt/wd/sets/images/crops/a/b");
  equal(shown("gone"), "gone:a/b");
});

Deno.test("several paths are absolute or relative to the mount point", () => {
  deepEqual(selectPaths(["/mnt/wd/texts/a", "sets/images/b"], TREE), {
    kind: "selected",
    paths: [
      { path: "/mnt/wd/texts/a", places: [{ backend: "texts", path: "a" }] },
      { path: "sets/images/b", places: [{ backend: "images", path: "b" }] },
    ],
  });
  deepEqual(selectPaths(["texts/a", "../etc"], TREE), {
    ...{ kind: "unresolved", path: "../etc", reason: '".." is not followed' },
  });
});

Deno.test("of places within one another the outermost is kept", () => {
  const distinct = (...paths: string[]) => {
    const found = selectPaths(paths, TREE);
    return found.kind === "selected" ? distinctPlaces(found.paths) : [];
  };
  deepEqual(distinct("texts/a/b", "texts/a", "texts/ab", "texts/a"), [
    { backend: "texts", path: "a" },
    { backend: "texts", path: "ab" },
  ]);
  deepEqual(distinct("texts/a", "texts"), [{ backend: "texts", path: "" }]);
});
