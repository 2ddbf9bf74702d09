/**
 * What goes wrong with an upgrade by Ansible, and the way back, on the node of
 * `tests/ansible_install_test.ts`.
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { AnsibleWorld, OTHER_VERSION, outcome, succeeded } from "../support/ansible_world.ts";
import { eventually } from "../support/eventually.ts";
import { AGENT } from "../support/installed_agent.ts";

Deno.test("Ansible upgrades and rolls back", async (test) => {
  await using world = await AnsibleWorld.open();
  succeeded(await world.apply({}));
  await world.target.system.succeed("cat", "/wd/store/train/shard-0");
  for (const [sentence, body] of Object.entries(STEPS)) {
    await test.step(sentence, () => body(world));
  }
});

type Body = (world: AnsibleWorld) => Promise<void>;

const STEPS: Readonly<Record<string, Body>> = {
  async "A mistake in the configuration is refused, and the agent runs on"(world) {
    const { system } = world.target;
    const run = await system.property(AGENT, "InvocationID");
    const play = await world.apply({ warpdrive_config: { cache: { polcy: "lru" } } });
    notEqual(play.code, 0);
    match(play.text, /polcy/);
    equal(await system.property(AGENT, "InvocationID"), run);
    equal((await system.run("grep", "polcy", "/etc/warpdrive/config.yaml")).code, 1);
  },

  async "An upgrade waits for open files, and gives up rather than break them"(world) {
    const { system } = world.target;
    const run = await system.property(AGENT, "InvocationID");
    const reader = ["--property=StandardInput=file:/wd/store/train/shard-0", "sleep", "infinity"];
    await system.succeed("systemd-run", "--quiet", "--unit=test-reader", ...reader);
    try {
      await eventually("the file is open", async () => (await world.status()).openFiles > 0);
      const play = await world.apply(await world.otherProgram());
      notEqual(play.code, 0);
      match(play.text, /Cannot restart the agent: 1 files\s+are open/);
      equal(await system.property(AGENT, "InvocationID"), run);
    } finally {
      await system.succeed("systemctl", "stop", "test-reader");
    }
  },

  async "An upgrade that was held up is finished by the next run, and keeps the cache"(world) {
    succeeded(await world.apply(await world.otherProgram()));
    match((await world.status()).version, new RegExp(OTHER_VERSION));
    const { system } = world.target;
    const warm = await system.succeed("warpdrive", "ctl", "warm", "--check", "/wd/store/train");
    match(warm, /100\.0%/);
    equal(await system.succeed("cat", "/wd/data/file"), "content");
  },

  async "A roll-back is an upgrade to the version before"(world) {
    succeeded(await world.apply({}));
    equal((await world.status()).version.includes(OTHER_VERSION), false);
  },

  async "A program of another version than the one pinned is refused"(world) {
    const play = await world.apply({ warpdrive_version: "9.9.9" });
    notEqual(play.code, 0);
    match(play.text, /wanted version\s+9\.9\.9/);
  },

  async "A dry run where everything is as it should be would change nothing"(world) {
    const play = await world.apply({}, "--check", "--diff");
    deepEqual(outcome(play), { code: 0, changed: 0, failed: 0 }, play.text);
  },

  async "A restart can be forced although files are open"(world) {
    const { system } = world.target;
    const reader = ["--property=StandardInput=file:/wd/store/train/shard-0", "sleep", "infinity"];
    await system.succeed("systemd-run", "--quiet", "--unit=test-reader", ...reader);
    await eventually("the file is open", async () => (await world.status()).openFiles > 0);
    const other = await world.otherProgram();
    succeeded(await world.apply({ ...other, warpdrive_drain_force: true }));
    match((await world.status()).version, new RegExp(OTHER_VERSION));
    await system.succeed("systemctl", "stop", "test-reader");
  },

  async "Uninstalling again changes nothing"(world) {
    succeeded(await world.target.play("uninstall.yaml", world.variables));
    const play = await world.target.play("uninstall.yaml", world.variables);
    deepEqual(outcome(play), { code: 0, changed: 0, failed: 0 }, play.text);
  },
};
