/** How a real mount begins and ends, alone and while it is in use. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { run, succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { type Hold, holdOnTo } from "./support/holder.ts";
import { mount, Mounted, ROOT } from "./support/mounted.ts";
import { createPlace, mountsBelow, type Place } from "./support/place.ts";
import { Program } from "./support/program.ts";

async function fill(source: string): Promise<void> {
  await Deno.writeTextFile(`${source}/file`, "content");
}

/** Starts a mount that cannot begin; what it says, having failed with exit code 1. */
async function refusal(place: Place, config: Readonly<Record<string, unknown>> = {}) {
  const path = await place.configure({
    mount_point: place.mountPoint,
    metrics: { enabled: false },
    backends: [{ name: "data", type: "local", config: { root: place.source } }],
    ...config,
  });
  const before = await mountsBelow(place.root);
  await using program = Program.start(["mount", "--config", path]);
  equal(await program.exit(), 1);
  deepEqual(await mountsBelow(place.root), before);
  const lines = program.log.filter(({ level }) => level === "text").map(({ message }) => message);
  return lines.join("\n");
}

Deno.test("A mount point that is not empty is refused", async () => {
  await using place = await createPlace();
  await Deno.writeTextFile(`${place.mountPoint}/precious`, "");
  match(await refusal(place), /"\S+\/mount" is not empty.*\nHint: Move its files away/);
});

Deno.test("A mount point that is missing is refused", async () => {
  await using place = await createPlace();
  await Deno.remove(place.mountPoint);
  match(await refusal(place), /"\S+\/mount" does not exist\nHint: Run "mkdir -p \S+\/mount"/);
});

Deno.test("A file is refused as a mount point", async () => {
  await using place = await createPlace();
  await Deno.remove(place.mountPoint);
  await Deno.writeTextFile(place.mountPoint, "");
  match(await refusal(place), /"\S+\/mount" is no directory\nHint: /);
});

Deno.test("A live mount is refused as a mount point, and goes on", async () => {
  await using mounted = await mount({ fill });
  match(
    await refusal(mounted.place),
    /"\S+\/mount" is already a mount, of type fuse\.warpdrive\nHint: Run "warpdrive umount /,
  );
  equal(await Deno.readTextFile(`${mounted.data}/file`), "content");
});

Deno.test({
  name: "A mount of something else is refused as a mount point",
  ignore: !ROOT,
  fn: async () => {
    await using place = await createPlace();
    await succeed("mount", "-t", "tmpfs", "tmpfs", place.mountPoint);
    match(await refusal(place), /"\S+\/mount" is already a mount, of type tmpfs\nHint: /);
  },
});

Deno.test("A metrics address that is in use is refused, and nothing is mounted", async () => {
  await using place = await createPlace();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const addr = `127.0.0.1:${listener.addr.port}`;
  const said = await refusal(place, { metrics: { addr } });
  match(said, new RegExp(`${addr}.*\\nHint: `));
});

Deno.test("A mount whose process was killed is replaced by the next", async () => {
  await using place = await createPlace();
  await fill(place.source);
  await using first = await Mounted.start(place, {});
  first.program.signal("SIGKILL");
  await first.program.exit();
  // Its attributes may still be in the kernel's cache; whatever has to be asked for fails.
  await rejects(Array.fromAsync(Deno.readDir(place.mountPoint)), /os error 107/);
  await using second = await Mounted.start(place, {});
  equal(await Deno.readTextFile(`${second.data}/file`), "content");
  equal((await mountsBelow(place.root)).length, 1);
  ok(second.program.log.some(({ message }) => message.includes("process is gone")));
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`${signal} unmounts an idle mount and ends with exit code 0`, async () => {
    await using mounted = await mount({ fill });
    await Deno.readTextFile(`${mounted.data}/file`);
    equal(await mounted.stop(signal), 0);
    deepEqual(await mountsBelow(mounted.place.root), []);
    equal(mounted.program.log.at(-1)?.fields["event"], "unmounted");
  });
}

Deno.test("A mount that is unmounted by someone else ends with exit code 0", async () => {
  await using mounted = await mount({ fill });
  await (ROOT ? succeed("umount", mounted.path) : succeed("fusermount3", "-u", mounted.path));
  equal(await mounted.program.exit(), 0);
});

Deno.test({
  name: "A stop ends in time although a container has the mount in a namespace of its own",
  ignore: !ROOT,
  fn: async () => {
    await using mounted = await mount({ fill, args: ["--stop-timeout", "500ms"] });
    await using _container = await holdOnTo(mounted.path, "mount namespace");
    equal(await mounted.stop("SIGTERM"), 0);
    deepEqual(await mountsBelow(mounted.place.root), []);
    ok(mounted.program.log.some(({ message }) => message.includes("something still has it")));
  },
});

Deno.test({
  name: "An unmount ends a mount although a container has it in a namespace of its own",
  ignore: !ROOT,
  fn: async () => {
    await using mounted = await mount({ fill, args: ["--stop-timeout", "500ms"] });
    await using _container = await holdOnTo(mounted.path, "mount namespace");
    equal((await umount(mounted.path)).code, 0);
    equal(await mounted.program.exit(), 0);
    ok(mounted.program.log.some(({ message }) => message.includes("something still has it")));
  },
});

Deno.test({
  name: "An unmount leaves a container the files that it has open, until it closes them",
  ignore: !ROOT,
  fn: async () => {
    await using mounted = await mount({ fill, args: ["--stop-timeout", "0s"] });
    const file = `${mounted.data}/file`;
    await using container = await holdOnTo(file, "open file in a mount namespace");
    equal((await umount(mounted.path)).code, 0);
    const { program } = mounted;
    await program.logged("that it serves on", ({ message }) => message.includes("files are open"));
    equal(await Deno.readTextFile(`/proc/${container.pid}/fd/3`), "content");
    await container[Symbol.asyncDispose]();
    equal(await program.exit(), 0);
    equal(program.log.at(-1)?.fields["reason"], "unmounted");
  },
});

/** Waits until a stopping mount says that it is busy; the holders it names. */
async function busy({ program }: Mounted): Promise<string> {
  const { fields } = await program.logged("that it is busy", ({ fields }) => "holders" in fields);
  return String(fields["holders"]);
}

for (const how of ["working directory", "open file"] satisfies Hold[]) {
  Deno.test(`A mount in use (${how}) names the holder and serves until it lets go`, async () => {
    await using mounted = await mount({ fill, args: ["--stop-timeout", "1h"] });
    const held = how === "open file" ? `${mounted.data}/file` : mounted.data;
    await using holder = await holdOnTo(held, how);
    mounted.program.signal("SIGTERM");
    match(await busy(mounted), new RegExp(`sleep \\(pid ${holder.pid}, ${how}`));
    equal(await Deno.readTextFile(`${mounted.data}/file`), "content");
    await holder[Symbol.asyncDispose]();
    equal(await mounted.program.exit(), 0);
    deepEqual(await mountsBelow(mounted.place.root), []);
  });
}

Deno.test("A second signal takes a busy mount out of the tree at once", async () => {
  await using mounted = await mount({ fill, args: ["--stop-timeout", "1h"] });
  await using _holder = await holdOnTo(`${mounted.data}/file`, "open file");
  mounted.program.signal("SIGTERM");
  await busy(mounted);
  equal(await mounted.stop("SIGTERM"), 0);
  deepEqual(await mountsBelow(mounted.place.root), []);
});

Deno.test("A busy mount is taken out of the tree when --stop-timeout is over", async () => {
  await using mounted = await mount({ fill, args: ["--stop-timeout", "500ms"] });
  await using _holder = await holdOnTo(mounted.data, "working directory");
  equal(await mounted.stop("SIGTERM"), 0);
  deepEqual(await mountsBelow(mounted.place.root), []);
  ok(mounted.program.log.some(({ fields }) => fields["because"] === "timeout"));
});

Deno.test({
  name: "A stopping mount that someone else takes away ends when its last holder lets go",
  ignore: !ROOT,
  fn: async () => {
    await using mounted = await mount({ fill, args: ["--stop-timeout", "1h"] });
    await using holder = await holdOnTo(`${mounted.data}/file`, "open file");
    mounted.program.signal("SIGTERM");
    await busy(mounted);
    await succeed("umount", "--lazy", mounted.path);
    await holder[Symbol.asyncDispose]();
    equal(await mounted.program.exit(), 0);
  },
});

Deno.test("warpdrive umount ends an idle mount", async () => {
  await using mounted = await mount({ fill });
  deepEqual(await umount(mounted.path), { code: 0, stdout: "", stderr: "" });
  equal(await mounted.program.exit(), 0);
  deepEqual(await mountsBelow(mounted.place.root), []);
});

Deno.test("warpdrive umount names who uses a mount, and takes it away with --lazy", async () => {
  await using mounted = await mount({ fill });
  await using holder = await holdOnTo(`${mounted.data}/file`, "open file");
  const { code, stderr } = await umount(mounted.path);
  equal(code, 1);
  match(stderr, new RegExp(`used by sleep \\(pid ${holder.pid}, open file \\S+/file\\)\nHint: `));
  equal(await Deno.readTextFile(`${mounted.data}/file`), "content");
  equal((await umount("--lazy", mounted.path)).code, 0);
  deepEqual(await mountsBelow(mounted.place.root), []);
  // The open file lives on, and with it the daemon.
  await holder[Symbol.asyncDispose]();
  equal(await mounted.program.exit(), 0);
});

Deno.test("warpdrive umount refuses what is no mount of WarpDrive", async () => {
  await using place = await createPlace();
  const { code, stderr } = await umount(place.mountPoint);
  equal(code, 1);
  match(stderr, /nothing is mounted there, wanted a mount of WarpDrive\nHint: /);
});

async function umount(...args: string[]) {
  return await runProgram(["umount", ...args], {}, {});
}

/** Starts a mount in the background; how the command ended. */
async function background(place: Place, ...flags: readonly string[]) {
  const config = await place.configure({
    mount_point: place.mountPoint,
    metrics: { enabled: false },
    backends: [{ name: "data", type: "local", config: { root: place.source } }],
  });
  const log = `${place.root}/mount.log`;
  const args = ["mount", "--background", "--log-file", log, "--config", config, ...flags];
  return { log, ...await runProgram(args, {}, {}) };
}

Deno.test("mount --background returns when the mount is listable", async () => {
  await using place = await createPlace();
  await fill(place.source);
  const { code, stdout, stderr, log } = await background(place);
  deepEqual([code, stderr], [0, ""]);
  const pid = /^Mounted \S+ \(pid (\d+), log (\S+)\)\n$/.exec(stdout)?.[1];
  notEqual(pid, undefined);
  equal(await Deno.readTextFile(`${place.mountPoint}/data/file`), "content");
  match(await Deno.readTextFile(log), /"event":"ready"/);
  equal((await umount(place.mountPoint)).code, 0);
  await eventually("the background process ends", async () => {
    const { code } = await run("kill", "-0", String(pid));
    return code !== 0;
  });
});

Deno.test("mount --background knows when the mount is ready at any log level", async () => {
  await using place = await createPlace();
  const { code, stderr } = await background(place, "--log-level", "error");
  deepEqual([code, stderr], [0, ""]);
  equal((await umount(place.mountPoint)).code, 0);
});

Deno.test("mount --background shows its log and fails when the mount cannot begin", async () => {
  await using place = await createPlace();
  await Deno.writeTextFile(`${place.mountPoint}/precious`, "");
  const { code, stdout, stderr } = await background(place);
  deepEqual([code, stdout], [1, ""]);
  match(stderr, /^Cannot mount "\S+" in the background: it ended\n[^]*is not empty[^]*Hint: /);
  deepEqual(await mountsBelow(place.root), []);
});
