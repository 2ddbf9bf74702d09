import { deepEqual, equal, ok } from "node:assert/strict";
import { controlBases, controlName, controlPlace, socketPathFits } from "./api_sockets.ts";

const NO_ENV = { get: () => undefined };
const SESSION = {
  get: (name: string) => name === "XDG_RUNTIME_DIR" ? "/run/user/1000" : undefined,
};
const MOUNT = { path: undefined, name: undefined, mountPoint: "/mnt/data" };

Deno.test("Sockets of root's mounts are below /run, by the name of the mount point", () => {
  const place = controlPlace({ ...MOUNT, uid: 0, env: SESSION });
  deepEqual(place, { kind: "directory", path: "/run/warpdrive/mnt-data", chosen: false });
});

Deno.test("Sockets of a user's mounts are in the session's runtime directory", () => {
  const place = controlPlace({ ...MOUNT, uid: 1000, env: SESSION });
  deepEqual(place, {
    kind: "directory",
    path: "/run/user/1000/warpdrive/mnt-data",
    chosen: false,
  });
});

Deno.test("A user without a session has no place for sockets", () => {
  equal(controlPlace({ ...MOUNT, uid: 1000, env: NO_ENV }).kind, "nowhere");
});

Deno.test("A configured name or path of sockets is one that was chosen", () => {
  deepEqual(controlPlace({ ...MOUNT, name: "train", uid: 0, env: NO_ENV }), {
    kind: "directory",
    path: "/run/warpdrive/train",
    chosen: true,
  });
  deepEqual(controlPlace({ ...MOUNT, path: "/srv/wd", uid: 1000, env: NO_ENV }), {
    kind: "directory",
    path: "/srv/wd",
    chosen: true,
  });
});

Deno.test("Long mount points have short names that still differ", () => {
  const long = (end: string) => `/${"directory/".repeat(20)}${end}`;
  const names = [long("a/mount"), long("b/mount")].map(controlName);
  equal(new Set(names).size, 2);
  ok(names.every((name) => name.length <= 64 && !name.includes("/")));
});

Deno.test("A socket path of 107 bytes fits, one of 108 does not", () => {
  equal(socketPathFits(`/${"x".repeat(95)}`), true);
  equal(socketPathFits(`/${"x".repeat(96)}`), false);
});

Deno.test("Sockets are looked for in the session first, then below /run", () => {
  deepEqual(controlBases(SESSION), ["/run/user/1000/warpdrive", "/run/warpdrive"]);
  deepEqual(controlBases(NO_ENV), ["/run/warpdrive"]);
});
