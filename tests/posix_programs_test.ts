/** Programs that people run on trees of files, on a real mount. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { installed, run, succeed } from "./support/command.ts";
import { type Mounted, mountTest, ROOT, type Step } from "./support/mounted.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

async function fill(source: string): Promise<void> {
  const tree = `${source}/tree`;
  await Deno.mkdir(`${tree}/deep/er`, { recursive: true });
  for (const [name, size] of [["large", 3_000_000], ["small", 10], ["empty", 0]] as const) {
    await Deno.writeFile(`${tree}/deep/${name}`, sampleBytes(size, size));
  }
  await Deno.writeTextFile(`${tree}/deep/er/run`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.symlink("../large", `${tree}/deep/er/link`);
  await Deno.link(`${tree}/deep/small`, `${tree}/deep/er/hard`);
  await Deno.chmod(`${tree}/deep/empty`, 0o400);
  // Long ago: rsync takes times within one second for equal, and copies are made right now.
  const touch = ["touch", "--no-dereference", "-d", "2001-02-03T04:05:06.789012345Z", "{}"];
  await succeed("find", tree, "-depth", "-exec", ...touch, "+");
  const repository = `${source}/repository`;
  await succeed("git", "init", "--quiet", repository);
  await Deno.writeTextFile(`${repository}/committed`, "in a repository\n");
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
  await succeed("git", "-C", repository, "add", "committed");
  await succeed("git", "-C", repository, ...identity, "commit", "--quiet", "-m", "First");
}

/** What of a tree a faithful copy keeps, one line per file. */
async function describe(tree: string): Promise<string> {
  const lines = await succeed("find", tree, "-printf", "%P %y %m %U:%G %T@ %l\n");
  const sums = await succeed("sh", "-c", 'cd "$1" && find . -type f | xargs sha256sum', "sh", tree);
  return [...lines.split("\n").sort(), ...sums.split("\n").sort()].join("\n");
}

async function copySteps({ data, place }: Mounted, step: Step): Promise<void> {
  const original = await describe(`${place.source}/tree`);
  const copies: readonly (readonly [string, (target: string) => Promise<string>])[] = [
    ["cp --archive", (target) => succeed("cp", "--archive", `${data}/tree`, target)],
    [
      "tar",
      (target) =>
        succeed(
          "sh",
          "-c",
          'mkdir "$2" && tar --create --xattrs --directory "$1" . | tar --extract --directory "$2"',
          "sh",
          `${data}/tree`,
          target,
        ),
    ],
  ];
  for (const [name, copy] of copies) {
    await step(`${name} makes a copy that is equal in all it keeps`, async () => {
      const target = `${place.root}/copy-${name.slice(0, 3).trim()}`;
      await copy(target);
      equal(await describe(target), original);
      if (!installed("getfattr")) return;
      equal(await succeed("getfattr", "--recursive", "--dump", "--match=.", target), "");
    });
  }
  if (installed("rsync")) {
    await step("rsync makes an equal copy and finds nothing to do the second time", async () => {
      const target = `${place.root}/copy-rsync/`;
      const args = ["-aHX", "--itemize-changes", `${data}/tree/`, target];
      await succeed("rsync", ...args);
      equal(await describe(target), original);
      equal(await succeed("rsync", ...args), "");
    });
  }
  await step("git clones a repository, checks it and reads its log in place", async () => {
    const git = ["-c", "safe.directory=*"];
    const clone = `${place.root}/clone`;
    // A plain path makes git copy the object files; hard links cannot leave the mount.
    await succeed("git", ...git, "clone", "--quiet", `${data}/repository`, clone);
    equal(await Deno.readTextFile(`${clone}/committed`), "in a repository\n");
    await succeed("git", "-C", clone, "fsck", "--strict");
    const log = await succeed("git", ...git, "-C", `${data}/repository`, "log", "--format=%s");
    equal(log, "First\n");
    await succeed("git", ...git, "-C", `${data}/repository`, "status", "--short");
    await Deno.remove(clone, { recursive: true });
  });
  await step("ls, find, grep and df read it without an error", async () => {
    deepEqual(await run("ls", "-lRa", "--full-time", data).then(({ stderr }) => stderr), "");
    match(await succeed("grep", "--recursive", "repository", `${data}/repository`), /committed:/);
    match(await succeed("df", "--output=fstype,target", data), /fuse\.warpdrive .*mount/);
    equal(await succeed("find", data, "-name", "small"), `${data}/tree/deep/small\n`);
  });
}

for (const passthrough of ROOT ? [true, false] : [false]) {
  const title = passthrough ? "In passthrough" : "Served by the daemon";
  mountTest(title, { fill, config: { fuse: { passthrough } } }, copySteps);
}

if (ROOT) {
  mountTest("Below an overlay", { fill }, async ({ data, place }, step) => {
    const merged = `${place.root}/merged`;
    const layers = ["upper", "work"].map((name) => `${place.root}/${name}`);
    for (const directory of [merged, ...layers]) await Deno.mkdir(directory);
    const options = `lowerdir=${data},upperdir=${layers[0]},workdir=${layers[1]}`;
    await succeed("mount", "-t", "overlay", "overlay", "-o", options, merged);
    try {
      await step("the files of the mount are read", async () => {
        equal(await describe(`${merged}/tree`), await describe(`${place.source}/tree`));
      });
      await step("a file is copied up to be written", async () => {
        await Deno.writeTextFile(`${merged}/tree/deep/small`, " and more", { append: true });
        ok((await Deno.readTextFile(`${merged}/tree/deep/small`)).endsWith(" and more"));
        equal((await Deno.stat(`${data}/tree/deep/small`)).size, 10);
      });
      await step("a file is removed from view only", async () => {
        await Deno.remove(`${merged}/tree/deep/large`);
        equal((await run("ls", `${merged}/tree/deep/large`)).code, 2);
        equal((await Deno.stat(`${data}/tree/deep/large`)).size, 3_000_000);
      });
    } finally {
      await succeed("umount", merged);
    }
  });
}
