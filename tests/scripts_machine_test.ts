/** What `infra/azure` does to the machine, on a booted system with a disk of its own. */
import { deepEqual, doesNotMatch, equal, match, notEqual } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { BootedSystem } from "./support/booted_system.ts";
import { run, succeed } from "./support/command.ts";
import { AGENT, binaryPath } from "./support/installed_agent.ts";
import { LoopDisk } from "./support/loop_disk.ts";

const HOME = "/opt/warpdrive";
const SETUP = `${HOME}/infra/azure/03-vm-setup.sh`;
const RUN = `${HOME}/infra/azure/05-run.sh`;

Deno.test("A machine for the demonstration", async (test) => {
  const directory = await Deno.makeTempDir();
  await using owned = new AsyncDisposableStack();
  owned.defer(() => Deno.remove(directory, { recursive: true }));
  const system = owned.use(await BootedSystem.boot(copyDeployment));
  const disk = owned.use(await LoopDisk.attach(`${directory}/disk`, system));
  for (const [sentence, body] of Object.entries(STEPS)) {
    await test.step(sentence, () => body(system, disk.path));
  }
});

const STEPS: Readonly<Record<string, (system: BootedSystem, disk: string) => Promise<void>>> = {
  async "No disk is formatted that nobody named"(system) {
    const { code, stderr } = await system.run(SETUP);
    equal(code, 1);
    match(stderr, /nothing is mounted at "\/mnt\/nvme"\nHint: .*--format DEVICE/);
    doesNotMatch(stderr, /mkfs/);
  },

  async "No disk is formatted with anything on it"(system, disk) {
    await system.succeed("mkfs.ext4", "-q", "-L", "precious", disk);
    const { code, stderr } = await system.run(SETUP, "--format", disk);
    equal(code, 1);
    match(stderr, /there is something on ".*"/);
    const label = ["blkid", "-p", "-s", "LABEL", "-o", "value", disk];
    equal(await system.succeed(...label), "precious\n");
    await system.succeed("wipefs", "--all", "--quiet", disk);
  },

  async "An empty one is formatted and mounted, and program and unit are installed"(system, disk) {
    const { code, stderr } = await system.run(SETUP, "--format", disk);
    equal(code, 0, stderr);
    equal(await system.succeed("findmnt", "-no", "FSTYPE", "--mountpoint", "/mnt/nvme"), "ext4\n");
    match(await system.succeed("warpdrive", "--version"), /^warpdrive /);
    equal(await system.property(AGENT, "LoadState"), "loaded");
  },

  async "After a reboot the disk is mounted, and the agent waits for it"(system) {
    const fstab = await system.succeed("cat", "/etc/fstab");
    match(fstab, /^UUID=[0-9a-f-]{36} \/mnt\/nvme ext4 noatime,nofail 0 2$/m);
    await system.succeed("umount", "/mnt/nvme");
    equal(await system.property(AGENT, "UnitFileState"), "enabled");
    equal(await system.property(AGENT, "RequiresMountsFor"), "/mnt/nvme");
    notEqual((await system.run("systemctl", "start", AGENT)).code, 0);
    await system.succeed("mount", "/mnt/nvme");
  },

  async "A second run changes nothing"(system, disk) {
    const { code, stderr } = await system.run(SETUP, "--format", disk);
    deepEqual({ code, stderr }, { code: 0, stderr: "Next: 04-gen-warpdrive-config.sh\n" });
  },

  async "05-run.sh mounts, and leaves a mount that knows its configuration"(system) {
    await configure(system, "one");
    await system.succeed(RUN);
    equal(await system.succeed("ls", "/wd"), "one\n");
    const run = await system.property(AGENT, "InvocationID");
    await system.succeed(RUN);
    equal(await system.property(AGENT, "InvocationID"), run);
  },

  async "05-run.sh mounts anew for a configuration that has changed"(system) {
    await configure(system, "other");
    await system.succeed(RUN);
    equal(await system.succeed("ls", "/wd"), "other\n");
  },

  async "A program that is not what was built is refused"(system) {
    await Deno.writeTextFile(`${system.root}${HOME}/dist/warpdrive`, "x", { append: true });
    const { code, stderr } = await system.run(SETUP);
    equal(code, 1);
    match(stderr, /is not what was built/);
  },
};

/** Writes a configuration with one backend, a local directory. */
async function configure(system: BootedSystem, backend: string): Promise<void> {
  const text = JSON.stringify({
    mount_point: "/wd",
    cache: { path: "/mnt/nvme/warpdrive-cache", max_size: "64MiB" },
    metrics: { enabled: false },
    backends: [{ name: backend, type: "local", config: { root: "/srv" } }],
  });
  await Deno.mkdir(`${system.root}/etc/warpdrive`, { recursive: true });
  await Deno.writeTextFile(`${system.root}/etc/warpdrive/config.yaml`, text);
}

/** Puts `infra` and `dist` beside each other, as scp does. */
async function copyDeployment(root: string): Promise<void> {
  await Deno.mkdir(`${root}${HOME}/dist`, { recursive: true });
  await succeed("cp", "-r", `${REPOSITORY}/infra`, `${root}${HOME}/infra`);
  // The epochs have a test of their own, and want a store.
  for (const name of ["01_cold.sh", "02_warm.sh"]) {
    await Deno.writeTextFile(`${root}${HOME}/infra/demo/${name}`, "#!/bin/sh\n");
  }
  await Deno.copyFile(binaryPath(), `${root}${HOME}/dist/warpdrive`);
  const { stdout } = await run("sha256sum", `${root}${HOME}/dist/warpdrive`);
  const line = `${stdout.split(" ")[0]}  warpdrive\n`;
  await Deno.writeTextFile(`${root}${HOME}/dist/warpdrive.sha256`, line);
}
