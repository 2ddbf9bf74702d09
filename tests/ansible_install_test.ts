/**
 * The role of Ansible on a node without WarpDrive, over SSH, with the compiled program, a real
 * systemd and real stores: installed, run again, upgraded and taken away.
 */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import {
  AnsibleWorld,
  OBJECT_SHA256,
  ODD_SECRET,
  OTHER_VERSION,
  outcome,
  succeeded,
} from "./support/ansible_world.ts";
import { AGENT } from "./support/installed_agent.ts";

/** Variables of a play that has to do with the agent alone, and is shorter. */
const AGENT_ALONE = { warpdrive_slurm: false, warpdrive_format_device: "" };
/** What is in `/etc/warpdrive` while nothing is under way. */
const FILES = ["config.yaml", "environment", "slurm.conf", ""].join("\n");

Deno.test("Ansible installs, upgrades and uninstalls", async (test) => {
  await using world = await AnsibleWorld.open();
  for (const [sentence, body] of Object.entries(STEPS)) {
    await test.step(sentence, () => body(world));
  }
});

type Body = (world: AnsibleWorld) => Promise<void>;

const STEPS: Readonly<Record<string, Body>> = {
  async "A dry run on a bare node says what it would do, and does nothing"(world) {
    const play = await world.apply({}, "--check", "--diff");
    succeeded(play);
    notEqual(play.changed, 0);
    match(play.text, /\+mount_point: \/wd/);
    deepEqual(await world.target.traces(), world.before);
  },

  async "A program with another checksum is refused before anything is written"(world) {
    const play = await world.apply({ warpdrive_sha256: "0".repeat(64) });
    match(play.text, /its SHA-256 is [0-9a-f]{64}, wanted 0{64}/);
    notEqual(play.code, 0);
    deepEqual(await world.target.traces(), world.before);
  },

  async "A cache directory that is on no disk of its own is refused"(world) {
    const play = await world.apply({
      warpdrive_cache_path: "/scratch/cache",
      warpdrive_format_device: "",
    });
    match(play.text, /nothing is mounted at \\"\/scratch\\"/);
    notEqual(play.code, 0);
    const elsewhere = await world.apply({
      ...{ warpdrive_cache_path: "/scratch/cache", warpdrive_cache_mount: "/run" },
      warpdrive_format_device: "",
    }, "--check");
    match(elsewhere.text, /warpdrive_cache_path below\s+warpdrive_cache_mount/);
    notEqual(elsewhere.code, 0);
    const past = { warpdrive_config: { cache: { path: "/scratch/cache" } } };
    const passed = await world.apply(past, "--check");
    match(passed.text, /warpdrive_config has cache.path.*set warpdrive_cache_path/s);
    notEqual(passed.code, 0);
  },

  async "A disk with anything on it is never formatted"(world) {
    const { system } = world.target;
    await system.succeed("mkfs.ext4", "-q", "-L", "precious", world.disk);
    const play = await world.apply({});
    match(play.text, /there is something on it .*LABEL=precious/);
    notEqual(play.code, 0);
    equal(
      await system.succeed("blkid", "-p", "-s", "LABEL", "-o", "value", world.disk),
      "precious\n",
    );
    deepEqual(await world.target.traces(), world.before);
    await system.succeed("wipefs", "--all", "--quiet", world.disk);
  },

  async "A bare node becomes one that shows a local directory and a store"(world) {
    const play = await world.apply({});
    succeeded(play);
    const { system } = world.target;
    equal(await system.succeed("ls", "/wd"), "data\nstore\n");
    equal(await system.succeed("cat", "/wd/data/file"), "content");
    equal(await system.succeed("ls", "/wd/store/train"), "shard-0\n");
    const bytes = await system.succeed("sha256sum", "/wd/store/train/shard-0");
    equal(bytes.split(" ")[0], OBJECT_SHA256);
    equal(await system.property(AGENT, "UnitFileState"), "enabled");
    match(await system.succeed("warpdrive-ctl", "status", "--help"), /warpdrive ctl status/);
  },

  async "Secrets are in a file that only root reads, and in no output"(world) {
    const { system } = world.target;
    const mode = await system.succeed("stat", "-c", "%a %U", "/etc/warpdrive/environment");
    equal(mode, "600 root\n");
    equal((await system.run("grep", "-qF", world.secret, "/etc/warpdrive/environment")).code, 0);
    equal((await system.run("grep", "-qF", world.secret, "/etc/warpdrive/config.yaml")).code, 1);
    equal(world.target.said.includes(world.secret), false);
    const pid = await system.property(AGENT, "MainPID");
    const environment = (await system.succeed("cat", `/proc/${pid}/environ`)).split("\0");
    ok(environment.includes(`ODD_SECRET=${ODD_SECRET}`), environment.join("\n"));
  },

  async "A second run changes nothing"(world) {
    deepEqual(outcome(await world.apply({})), { code: 0, changed: 0, failed: 0 });
  },

  async "Secrets that are not those of the configuration are refused, and none is written"(
    world,
  ) {
    const { system } = world.target;
    const before = await system.succeed("sha256sum", "/etc/warpdrive/environment");
    const play = await world.apply({ ...AGENT_ALONE, warpdrive_environment: { ODD_SECRET } });
    notEqual(play.code, 0);
    match(play.text, /Cannot configure the agent .*auth\.account_key_env: .*is not set/s);
    equal(await system.succeed("sha256sum", "/etc/warpdrive/environment"), before);
    deepEqual(await system.succeed("ls", "-A", "/etc/warpdrive"), FILES);
  },

  async "Root takes no file from where every user of the node may write"({ target }) {
    const { stdout } = await target.system.run(
      "sh",
      "-c",
      "ls -d /tmp/.ansible* /var/tmp/.ansible*",
    );
    equal(stdout, "");
  },

  async "Without its disk the agent stays down rather than fill the root disk"({ target }) {
    const { system } = target;
    equal(await system.property(AGENT, "RequiresMountsFor"), "/nvme");
    await system.succeed("systemctl", "stop", AGENT);
    await system.succeed("umount", "/nvme");
    notEqual((await system.run("systemctl", "start", AGENT)).code, 0);
    equal(await system.succeed("ls", "/nvme"), "");
    await system.succeed("mount", "/nvme");
  },

  async "A restart that was due is forgotten where the agent has ended since"(world) {
    const { system } = world.target;
    await system.succeed("systemctl", "stop", AGENT);
    await system.succeed("touch", "/etc/warpdrive/.restart-due");
    succeeded(await world.apply(AGENT_ALONE));
    equal(await system.succeed("cat", "/wd/data/file"), "content");
  },

  async "The prolog and the epilog are ready to run, with the node's settings"({ target }) {
    const { system } = target;
    for (const name of ["prolog", "epilog"]) {
      await system.succeed("test", "-x", `/etc/slurm/${name}.d/50-warpdrive.sh`);
    }
    const settings = await system.succeed("cat", "/etc/warpdrive/slurm.conf");
    match(settings, /^MOUNT_POINT=\/wd\nWARM_WORKERS=16\n/m);
    // As slurmd runs it: without an environment.
    const path = "/wd/store/train";
    const job = ["SLURM_JOB_ID=7", "SLURM_JOB_UID=65534", "SLURM_JOB_GID=65534"];
    const words = [...job, `SLURM_JOB_COMMENT=${path}`, "/etc/slurm/prolog.d/50-warpdrive.sh"];
    const { code, stderr } = await system.run("env", "-i", ...words);
    equal(code, 0);
    match(stderr, /Warm: 1 files/);
  },

  async "An upgrade restarts the agent and keeps its cache"(world) {
    succeeded(await world.apply({ ...AGENT_ALONE, ...await world.otherProgram() }));
    match((await world.status()).version, new RegExp(OTHER_VERSION));
    const { system } = world.target;
    const warm = await system.succeed("warpdrive", "ctl", "warm", "--check", "/wd/store/train");
    match(warm, /100\.0%/);
    equal(await system.succeed("cat", "/wd/data/file"), "content");
  },

  async "Uninstalling leaves no trace, and what is not its own"(world) {
    const { target } = world;
    await target.system.succeed("touch", "/nvme/warpdrive-cache/precious");
    succeeded(await target.play("uninstall.yaml", world.variables));
    deepEqual(await target.traces(), world.before);
    const { system } = target;
    const left =
      "ls -d /run/warpdrive* /nvme /wd 2>/dev/null; systemctl list-units --all; cat /etc/fstab";
    equal(/warpdrive/.test((await system.run("sh", "-c", left)).stdout), false);
    await system.succeed("mount", world.disk, "/mnt");
    equal(await system.succeed("ls", "-A", "/mnt/warpdrive-cache"), "precious\n");
    await system.succeed("umount", "/mnt");
  },
};
