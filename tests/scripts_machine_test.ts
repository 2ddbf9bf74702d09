/** What `infra/azure` does to the machine, on a booted system with a disk of its own. */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { BootedSystem } from "./support/booted_system.ts";
import { run, succeed } from "./support/command.ts";
import { binaryPath } from "./support/installed_agent.ts";
import { LoopDisk } from "./support/loop_disk.ts";

const HOME = "/opt/warpdrive";
const SETUP = `${HOME}/infra/azure/03-vm-setup.sh`;

Deno.test("03-vm-setup.sh", async (test) => {
  const directory = await Deno.makeTempDir();
  await using owned = new AsyncDisposableStack();
  owned.defer(() => Deno.remove(directory, { recursive: true }));
  const system = owned.use(await BootedSystem.boot(copyDeployment));
  const disk = owned.use(await LoopDisk.attach(`${directory}/disk`, system));

  await test.step("formats no disk that nobody named", async () => {
    const { code, stderr } = await system.run(SETUP);
    equal(code, 1);
    match(stderr, /nothing is mounted at "\/mnt\/nvme"\nHint: .*--format DEVICE/);
    doesNotMatch(stderr, /mkfs/);
  });

  await test.step("formats no disk with anything on it", async () => {
    await system.succeed("mkfs.ext4", "-q", "-L", "precious", disk.path);
    const { code, stderr } = await system.run(SETUP, "--format", disk.path);
    equal(code, 1);
    match(stderr, /there is something on ".*"/);
    const label = ["blkid", "-p", "-s", "LABEL", "-o", "value", disk.path];
    equal(await system.succeed(...label), "precious\n");
    await system.succeed("wipefs", "--all", "--quiet", disk.path);
  });

  await test.step("formats and mounts an empty one, and installs program and unit", async () => {
    const { code, stderr } = await system.run(SETUP, "--format", disk.path);
    equal(code, 0, stderr);
    equal(await system.succeed("findmnt", "-no", "FSTYPE", "--mountpoint", "/mnt/nvme"), "ext4\n");
    match(await system.succeed("warpdrive", "--version"), /^warpdrive /);
    equal(await system.property("warpdrive-agent.service", "LoadState"), "loaded");
  });

  await test.step("changes nothing when it is run again", async () => {
    const { code, stderr } = await system.run(SETUP, "--format", disk.path);
    deepEqual({ code, stderr }, { code: 0, stderr: "Next: 04-gen-warpdrive-config.sh\n" });
  });

  await test.step("refuses a program that is not what was built", async () => {
    await Deno.writeTextFile(`${system.root}${HOME}/dist/warpdrive`, "x", { append: true });
    const { code, stderr } = await system.run(SETUP);
    equal(code, 1);
    match(stderr, /is not what was built/);
  });
});

/** Puts `infra` and `dist` beside each other, as scp does. */
async function copyDeployment(root: string): Promise<void> {
  await Deno.mkdir(`${root}${HOME}/dist`, { recursive: true });
  await succeed("cp", "-r", `${REPOSITORY}/infra`, `${root}${HOME}/infra`);
  await Deno.copyFile(binaryPath(), `${root}${HOME}/dist/warpdrive`);
  const { stdout } = await run("sha256sum", `${root}${HOME}/dist/warpdrive`);
  const line = `${stdout.split(" ")[0]}  warpdrive\n`;
  await Deno.writeTextFile(`${root}${HOME}/dist/warpdrive.sha256`, line);
}
