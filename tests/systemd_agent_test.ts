/** The unit of a compute node under a real systemd, with the compiled program. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { BootedSystem } from "./support/booted_system.ts";
import { eventually } from "./support/eventually.ts";
import { AGENT, bootWithAgent, type Installation } from "./support/installed_agent.ts";

/** A test in a system of its own, which shows the journal of the agent when it fails. */
function agentTest(
  sentence: string,
  installation: Installation,
  body: (system: BootedSystem) => Promise<void>,
): void {
  Deno.test(sentence, async () => {
    await using system = await bootWithAgent(installation);
    try {
      await body(system);
    } catch (error) {
      throw new Error(`The journal:\n${await system.journal(AGENT)}`, { cause: error });
    }
  });
}

/** Reads through the mount, past what the kernel keeps of it. */
async function content(system: BootedSystem): Promise<string> {
  return await system.succeed("cat", "/wd/data/file");
}

/** Mounts at `/wd`, by file system type. */
async function mounts(system: BootedSystem): Promise<readonly string[]> {
  const { stdout } = await system.run("findmnt", "-rno", "FSTYPE", "/wd");
  return stdout.split("\n").filter((line) => line !== "");
}

async function mainPid(system: BootedSystem): Promise<string> {
  return await system.property(AGENT, "MainPID");
}

/** Waits until the agent runs as another process than `old`. */
async function restarted(system: BootedSystem, old: string): Promise<string> {
  return await eventually("the agent runs again", async () => {
    const [pid, state] = [await mainPid(system), await system.property(AGENT, "ActiveState")];
    return pid !== "0" && pid !== old && state === "active" ? pid : null;
  });
}

/** A drop-in, as an operator changes the unit. */
function dropIn(...lines: readonly string[]): Readonly<Record<string, string>> {
  return { [`/etc/systemd/system/${AGENT}.d/test.conf`]: ["[Service]", ...lines, ""].join("\n") };
}

agentTest("The agent is ready when the whole system sees the mount", {}, async (system) => {
  await system.succeed("systemctl", "start", AGENT);
  equal(await content(system), "content");
  deepEqual(await mounts(system), ["fuse.warpdrive"]);
  match(await system.property(AGENT, "StatusText"), /^Serving 1 backends at \/wd$/);
  // A login, a job or a container is none of the agent's: it begins with the mounts of process 1.
  equal(await system.succeed("nsenter", "-t", "1", "-m", "cat", "/wd/data/file"), "content");
  const user = ["setpriv", "--reuid=65534", "--clear-groups", "--", "cat", "/wd/data/file"];
  equal(await system.succeed(...user), "content");
});

agentTest(
  "The agent reads what belongs to others, and the kernel reads for it",
  { config: { control: { group: "daemon" } } },
  async (system) => {
    await system.succeed("sh", "-c", "chown 1234 /srv/data/file && chmod 600 /srv/data/file");
    await system.succeed("systemctl", "start", AGENT);
    equal(await content(system), "content");
    match(await system.journal(AGENT), /"event":"ready".*"passthrough":true/);
    equal(
      await system.succeed("sh", "-c", "stat -c %G%a /run/warpdrive/*/admin.sock"),
      "daemon660\n",
    );
    equal(await system.property(AGENT, "LimitNOFILE"), "1048576");
  },
);

agentTest("The agent comes up with the machine when it is enabled", {}, async (system) => {
  await system.succeed("systemctl", "enable", AGENT);
  const order = `${await system.property(AGENT, "After")} `;
  for (const unit of ["network-online.target", "local-fs.target"]) {
    ok(order.includes(`${unit} `), unit);
  }
  match(await system.property("multi-user.target", "Wants"), /warpdrive-agent\.service/);
  await system.reboot();
  await eventually(
    "the agent is active",
    async () => await system.property(AGENT, "ActiveState") === "active",
  );
  equal(await content(system), "content");
});

agentTest("An agent that was killed is started again, and serves", {}, async (system) => {
  await system.succeed("systemctl", "start", AGENT);
  const pid = await mainPid(system);
  await system.succeed("kill", "-KILL", pid);
  await restarted(system, pid);
  equal(await content(system), "content");
  deepEqual(await mounts(system), ["fuse.warpdrive"]);
  equal(await system.property(AGENT, "NRestarts"), "1");
});

agentTest(
  "An agent that is not started again leaves no dead mount behind",
  { files: dropIn("Restart=no") },
  async (system) => {
    await system.succeed("systemctl", "start", AGENT);
    await system.succeed("kill", "-KILL", await mainPid(system));
    await eventually(
      "the agent has failed",
      async () => await system.property(AGENT, "ActiveState") === "failed",
    );
    deepEqual(await mounts(system), []);
  },
);

agentTest(
  "An agent that hangs is killed by the watchdog and started again",
  { files: dropIn("WatchdogSec=2s") },
  async (system) => {
    await system.succeed("systemctl", "start", AGENT);
    const pid = await mainPid(system);
    await system.succeed("kill", "-STOP", pid);
    await restarted(system, pid);
    match(await system.journal(AGENT), /Watchdog timeout/);
    equal(await content(system), "content");
  },
);

agentTest(
  "A stop serves a busy reader, then ends in time and leaves no mount",
  { files: dropIn("ExecStart=", startCommand("1s")) },
  async (system) => {
    await system.succeed("systemctl", "start", AGENT);
    const read = "exec 3</wd/data/file; exec sleep infinity";
    await system.succeed("systemd-run", "--unit=reader", "sh", "-c", read);
    await eventually("the reader has the file open", async () => {
      const { code } = await system.run("sh", "-c", "ls -l /proc/[0-9]*/fd | grep -q /wd/data/");
      return code === 0;
    });
    await system.succeed("systemctl", "stop", AGENT);
    deepEqual(await mounts(system), []);
    equal(await system.property(AGENT, "Result"), "success");
    match(await system.journal(AGENT), /The mount is busy.*Detach the mount although it is busy/s);
  },
);

agentTest("A dead mount from before the start is replaced", {}, async (system) => {
  const unit = ["systemd-run", "--unit=by-hand", "--service-type=notify", "-p", "KillMode=process"];
  const mount = ["/usr/local/bin/warpdrive", "mount", "--config", "/etc/warpdrive/config.yaml"];
  await system.succeed(...unit, ...mount);
  await system.succeed("systemctl", "kill", "-s", "KILL", "by-hand");
  await eventually("its mount is dead", async () => (await system.run("ls", "/wd")).code !== 0);
  deepEqual(await mounts(system), ["fuse.warpdrive"]);
  await system.succeed("systemctl", "start", AGENT);
  equal(await content(system), "content");
  deepEqual(await mounts(system), ["fuse.warpdrive"]);
});

agentTest("A start beside a mount made by hand fails and leaves that one", {}, async (system) => {
  const mount = ["/usr/local/bin/warpdrive", "mount", "--config", "/etc/warpdrive/config.yaml"];
  await system.succeed("systemd-run", "--unit=by-hand", "--service-type=notify", ...mount);
  notEqual((await system.run("systemctl", "start", AGENT)).code, 0);
  await system.succeed("systemctl", "stop", AGENT);
  equal(await content(system), "content");
});

agentTest("A wrong configuration is told once, and not tried again", {
  config: { mount_point: "relative" },
}, async (system) => {
  notEqual((await system.run("systemctl", "start", AGENT)).code, 0);
  equal(await system.property(AGENT, "NRestarts"), "0");
  equal(await system.property(AGENT, "ExecMainStatus"), "2");
  equal((await system.journal(AGENT)).match(/mount_point.*absolute/g)?.length, 1);
});

agentTest("A reload of units leaves the mount, a restart takes changes", {}, async (system) => {
  await system.succeed("systemctl", "start", AGENT);
  const pid = await mainPid(system);
  await system.succeed("sed", "-i", "s|/srv/data|/srv/other|", "/etc/warpdrive/config.yaml");
  await system.succeed("sh", "-c", "mkdir /srv/other && echo other >/srv/other/file");
  await system.succeed("systemctl", "daemon-reload");
  // SIGHUP would unmount: there is nothing to reload, and systemd says so.
  notEqual((await system.run("systemctl", "reload", AGENT)).code, 0);
  equal(await mainPid(system), pid);
  equal(await content(system), "content");
  await system.succeed("systemctl", "reload-or-restart", AGENT);
  equal(await content(system), "other\n");
});

agentTest(
  "An unmount by an operator ends the agent for good, whatever a container has",
  { files: dropIn("ExecStart=", startCommand("0s")) },
  async (system) => {
    await system.succeed("systemctl", "start", AGENT);
    const apart = ["-p", "PrivateMounts=yes", "-p", "MountFlags=private"];
    const container = ["systemd-run", "--unit=container", "--service-type=exec", ...apart];
    await system.succeed(...container, "sleep", "infinity");
    await system.succeed("warpdrive", "umount", "/wd");
    await eventually(
      "the agent is inactive",
      async () => await system.property(AGENT, "ActiveState") === "inactive",
    );
    equal(await system.property(AGENT, "NRestarts"), "0");
    match(await system.journal(AGENT), /something still has it/);
  },
);

function startCommand(stopTimeout: string): string {
  const program = "/usr/local/bin/warpdrive mount --config /etc/warpdrive/config.yaml";
  return `ExecStart=${program} --stop-timeout ${stopTimeout}`;
}
