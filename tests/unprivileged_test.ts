/** Real mounts by a user without rights, made with the help of fusermount3. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { installed } from "./support/command.ts";
import { ROOT } from "./support/mounted.ts";
import { OrdinaryUser, USER_ID } from "./support/ordinary_user.ts";
import { createPlace, type Place } from "./support/place.ts";
import type { Program } from "./support/program.ts";

const OURS = "fuse.warpdrive";
const ignore = !ROOT || !installed("fusermount3");

interface Setting {
  readonly place: Place;
  readonly user: OrdinaryUser;
  /** Arguments that mount the source. */
  readonly args: readonly string[];
}

/** A test in which `user` may mount the source of `place`. */
function userTest(
  sentence: string,
  config: Readonly<Record<string, unknown>>,
  body: (setting: Setting) => Promise<void>,
  deviceMode = "666",
): void {
  Deno.test({
    name: sentence,
    ignore,
    fn: async () => {
      await using place = await createPlace();
      await Deno.writeTextFile(`${place.source}/file`, "content");
      await using user = await OrdinaryUser.enter(place, deviceMode);
      const path = await place.configure({
        mount_point: place.mountPoint,
        metrics: { enabled: false },
        backends: [{ name: "data", type: "local", config: { root: place.source } }],
        ...config,
      });
      await body({ place, user, args: ["mount", "--config", path] });
    },
  });
}

function lastWords({ log }: Program): string {
  return log.filter(({ level }) => level === "text").map(({ message }) => message).join("\n");
}

userTest("A user mounts, lists, reads and unmounts", {}, async ({ place, user, args }) => {
  await using program = user.start(args);
  await program.ready();
  deepEqual(await user.mounted(), [OURS]);
  const path = `${place.mountPoint}/data`;
  deepEqual(await user.run("ls", path), { code: 0, stdout: "file\n", stderr: "" });
  equal((await user.run("cat", `${path}/file`)).stdout, "content");
  // The kernel lets only CAP_SYS_ADMIN hand it files to read by itself.
  await program.logged(
    "that it serves the files itself",
    ({ fields }) => fields["reason"] === "this process lacks CAP_SYS_ADMIN",
  );
  const owner = await user.run("stat", "--format=%u:%g %a", place.mountPoint);
  equal(owner.stdout, `${USER_ID}:${USER_ID} 555\n`);
  match((await user.run("touch", `${path}/new`)).stderr, /Read-only file system/);
  program.signal("SIGTERM");
  equal(await program.exit(), 0);
  deepEqual(await user.mounted(), []);
});

userTest("The mount of a user is closed to others, root included", {}, async (setting) => {
  const { place, user, args } = setting;
  await using program = user.start(args);
  await program.ready();
  const { code, stderr } = await user.runAsRoot("ls", place.mountPoint);
  notEqual(code, 0);
  match(stderr, /Permission denied/);
});

userTest("A user unmounts with fusermount3, and the mount ends well", {}, async (setting) => {
  const { place, user, args } = setting;
  await using program = user.start(args);
  await program.ready();
  equal((await user.run("fusermount3", "-u", place.mountPoint)).code, 0);
  equal(await program.exit(), 0);
});

userTest("A user unmounts with warpdrive umount", {}, async ({ place, user, args }) => {
  await using program = user.start(args);
  await program.ready();
  deepEqual(await user.warpdrive("umount", place.mountPoint), { code: 0, stdout: "", stderr: "" });
  equal(await program.exit(), 0);
  deepEqual(await user.mounted(), []);
});

userTest("A dead mount of a user is replaced by the next", {}, async ({ place, user, args }) => {
  await using first = user.start(args);
  await first.ready();
  first.signal("SIGKILL");
  await first.exit();
  deepEqual(await user.mounted(), [OURS]);
  await using second = user.start(args);
  await second.ready();
  deepEqual(await user.mounted(), [OURS]);
  equal((await user.run("cat", `${place.mountPoint}/data/file`)).stdout, "content");
});

userTest("Without fusermount3 a user is told what to install", {}, async ({ user, args }) => {
  await using program = user.start(args, { PATH: "/nonexistent" });
  equal(await program.exit(), 1);
  match(lastWords(program), /fusermount3 is not installed\nHint: .*install the fuse3 package/);
  deepEqual(await user.mounted(), []);
});

userTest(
  "A user whose allow_other is refused is told where it is allowed",
  { allow_other: true },
  async ({ user, args }) => {
    await using program = user.start(args);
    equal(await program.exit(), 1);
    match(
      lastWords(program),
      /user_allow_other.*\nHint: Set allow_other: false, or add user_allow/,
    );
    deepEqual(await user.mounted(), []);
  },
);

userTest(
  "A user who may not open /dev/fuse is told so",
  {},
  async ({ user, args }) => {
    await using program = user.start(args);
    equal(await program.exit(), 1);
    match(lastWords(program), /\/dev\/fuse.*\nHint: /);
    deepEqual(await user.mounted(), []);
  },
  "600",
);

userTest("A user cannot mount where it may not write", {}, async ({ place, user, args }) => {
  await Deno.chown(place.mountPoint, 0, 0);
  await using program = user.start(args);
  equal(await program.exit(), 1);
  match(lastWords(program), /not writable.*\nHint: Run "chown \$USER/);
});
