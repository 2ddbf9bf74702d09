import { deepEqual } from "node:assert/strict";
import type { PlacedBackend } from "../operations/cached_places.ts";
import { teamsOf } from "./teams.ts";

const REMOTE = { type: "azureblob" };
const BACKENDS: readonly PlacedBackend[] = [
  { name: "images", mountPath: "images", source: REMOTE },
  { name: "video", mountPath: "video", source: REMOTE },
  { name: "local", mountPath: "local", source: { type: "local" } },
];
const USERS: Readonly<Record<string, number>> = { ada: 1_001, grace: 1_002 };
const AROUND = {
  mountPoint: "/mnt/data",
  backends: BACKENDS,
  userId: (name: string) => USERS[name] ?? null,
};

Deno.test("a path of a team is absolute, or relative to the mount point", () => {
  const teams = teamsOf([
    { name: "vision", users: [], paths: ["/mnt/data/images/train", "/images/val/", "video"] },
    { name: "local", users: [], paths: ["local/x", "elsewhere"] },
  ], AROUND);
  deepEqual(teams.pathsOf("images"), ["train", "val"]);
  deepEqual(teams.pathsOf("video"), [""]);
  deepEqual(teams.pathsOf("local"), []);
  deepEqual(
    ["train", "val", "train/x", ""].map((path) => teams.ofPath({ backend: "images", path })),
    ["vision", "vision", null, null],
  );
  deepEqual(teams.ofPath({ backend: "video", path: "" }), "vision");
});

Deno.test("a team that owns the mount point owns every backend", () => {
  const teams = teamsOf([{ name: "all", users: [], paths: ["/mnt/data"] }], AROUND);
  deepEqual([teams.pathsOf("images"), teams.pathsOf("video")], [[""], [""]]);
});

Deno.test("users of a team are known by name or number, and unknown ones are told", () => {
  const settings = [{ name: "speech", users: ["grace", "1007", "nobody-here"], paths: [] }];
  const teams = teamsOf(settings, AROUND);
  deepEqual([1_002, 1_007, 1_001].map((uid) => teams.ofUser(uid)), ["speech", "speech", null]);
  deepEqual(teams.unknownUsers, ["nobody-here"]);
});
