import { equal, match } from "node:assert/strict";
import type { MountEntry } from "../../cache/platform/mount_table.ts";
import { checkMetrics, checkMountPoint, type MountPointState } from "./place.ts";

const OURS: MountEntry = {
  mountPoint: "/mnt",
  device: "0:1",
  type: "fuse.warpdrive",
  source: "warpdrive",
};

function stateOf(state: MountPointState, mounted: MountEntry | null = null, privileged = true) {
  return checkMountPoint("/mnt", { mounted, state }, privileged).state;
}

Deno.test("checkMountPoint wants an empty directory that the mounting user may write to", () => {
  equal(stateOf({ kind: "directory", empty: true, writable: true }, null, false), "ok");
  equal(stateOf({ kind: "directory", empty: true, writable: false }, null, false), "fail");
  equal(stateOf({ kind: "directory", empty: true, writable: false }, null, true), "ok");
  equal(stateOf({ kind: "directory", empty: false, writable: true }), "fail");
  equal(stateOf({ kind: "file" }), "fail");
  equal(stateOf({ kind: "missing" }), "fail");
  equal(stateOf({ kind: "unreadable", reason: "x" }), "fail");
});

Deno.test("checkMountPoint refuses a live mount and lets a dead one be replaced", () => {
  const directory: MountPointState = { kind: "directory", empty: true, writable: true };
  equal(stateOf(directory, OURS), "fail");
  equal(stateOf({ kind: "dead" }, OURS), "warn");
  equal(stateOf({ kind: "dead" }, { ...OURS, type: "fuse.sshfs" }), "fail");
  match(
    checkMountPoint("/mnt", { mounted: OURS, state: directory }, true).remedy ?? "",
    /warpdrive umount \/mnt/,
  );
  match(
    checkMountPoint("/mnt", { mounted: { ...OURS, type: "ext4" }, state: directory }, true).detail,
    /of type ext4/,
  );
});

Deno.test("checkMetrics fails only where it must listen and cannot", () => {
  const metrics = { enabled: true, hostname: "127.0.0.1", port: 9090 };
  equal(checkMetrics(metrics, null).state, "ok");
  equal(checkMetrics(metrics, "Address already in use").state, "fail");
  equal(checkMetrics({ ...metrics, enabled: false }, "Address already in use").state, "ok");
});
