/** The unit files themselves, secrets by way of systemd, and the unit of a user without rights. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { BootedSystem } from "./support/booted_system.ts";
import { eventually } from "./support/eventually.ts";
import { AGENT, bootWithAgent, UNITS } from "./support/installed_agent.ts";
import { USER_ID } from "./support/ordinary_user.ts";

/** Directives that give a service a mount namespace, where its mount would be its own. */
const NAMESPACED = new RegExp(
  `^(${
    [
      "Private(Tmp|Devices|Mounts)",
      "Protect(System|Home|Kernel\\w+|ControlGroups|Proc)",
      "(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec|Bind|BindReadOnly)Paths",
      "TemporaryFileSystem|Root(Directory|Image)|ProcSubset",
      "DynamicUser|MountFlags|MountAPIVFS|LogNamespace",
    ].join("|")
  })=`,
  "m",
);

Deno.test("The unit has no directive that hides its mount from the machine", async () => {
  const unit = await Deno.readTextFile(`${UNITS}/${AGENT}`);
  equal(NAMESPACED.exec(unit)?.[0], undefined);
  equal(NAMESPACED.exec(`${unit}\nProtectKernelLogs=yes\n`)?.[0], "ProtectKernelLogs=");
});

Deno.test("systemd finds nothing wrong with the units, and exposure is no surprise", async () => {
  await using system = await bootWithAgent();
  const unit = `/etc/systemd/system/${AGENT}`;
  const verified = await system.run("systemd-analyze", "verify", "--recursive-errors=no", unit);
  deepEqual(verified, { code: 0, stdout: "", stderr: "" });
  const copied = "/srv/warpdrive-user.service";
  await Deno.copyFile(`${UNITS}/warpdrive-user.service`, `${system.root}${copied}`);
  deepEqual(await system.run("systemd-analyze", "verify", "--recursive-errors=no", copied), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  // A service that mounts for others cannot be in a sandbox; what it can do without, it does.
  const analyzed = await system.run(
    ...["systemd-analyze", "security", "--offline=yes", "--threshold=46", "--no-pager", unit],
  );
  match(analyzed.stdout, /Overall exposure level.*: \d\.\d/);
  equal(analyzed.code, 0, analyzed.stdout);
});

/** A storage key is 64 bytes. */
const KEY = new Uint8Array(64).toBase64();

/** A backend that answers nobody, of which only the secret counts: a wrong one cannot be read. */
function withSecret(auth: Readonly<Record<string, string>>) {
  return {
    mount_point: "/wd",
    backends: [
      { name: "data", type: "local", config: { root: "/srv/data" } },
      {
        name: "remote",
        type: "azureblob",
        timeout: "1s",
        config: { account: "account", root: "container", endpoint: "http://127.0.0.1:9/account" },
        auth: { method: "static", ...auth },
      },
    ],
  };
}

async function startsAndServes(system: BootedSystem): Promise<void> {
  const { code } = await system.run("systemctl", "start", AGENT);
  equal(code, 0, await system.journal(AGENT));
  equal(await system.succeed("cat", "/wd/data/file"), "content");
}

Deno.test("Secrets come from the environment file, which others cannot read", async () => {
  await using system = await bootWithAgent({
    config: withSecret({ account_key_env: "REMOTE_KEY" }),
    files: { "/etc/warpdrive/environment": `REMOTE_KEY=${KEY}\n` },
  });
  await system.succeed("chmod", "600", "/etc/warpdrive/environment");
  await startsAndServes(system);
});

Deno.test("Secrets come from credentials of systemd, and the mount is still seen", async () => {
  const unit = `/etc/systemd/system/${AGENT}.d/credentials.conf`;
  await using system = await bootWithAgent({
    config: withSecret({ account_key_file: "${CREDENTIALS_DIRECTORY}/remote-key" }),
    files: {
      "/etc/warpdrive/remote-key": `${KEY}\n`,
      [unit]: "[Service]\nLoadCredential=remote-key:/etc/warpdrive/remote-key\n",
    },
  });
  await startsAndServes(system);
});

/** A manager of units for the user, as a login or lingering starts one. */
const USER_MANAGER = `
set -e
mkdir -p /run/user/${USER_ID} /home/user/.config/warpdrive /home/user/.config/systemd/user
mkdir /home/user/mount /home/user/data
echo "of the user" >/home/user/data/file
cp /srv/warpdrive-user.service /home/user/.config/systemd/user/
cat >/home/user/.config/warpdrive/config.yaml <<END
mount_point: /home/user/mount
metrics: { enabled: false }
backends: [{ name: data, type: local, config: { root: /home/user/data } }]
END
chown -R ${USER_ID}:${USER_ID} /run/user/${USER_ID} /home/user
chmod 700 /run/user/${USER_ID}
mknod -m 666 /srv/fuse c 10 229
mount --bind /srv/fuse /dev/fuse
systemd-run --unit=manager --service-type=notify --uid=${USER_ID} --gid=${USER_ID} \
  -p Delegate=yes -E HOME=/home/user -E XDG_RUNTIME_DIR=/run/user/${USER_ID} \
  /lib/systemd/systemd --user
`;

Deno.test("A user without rights has a mount of their own, also after a crash", async () => {
  await using system = await bootWithAgent();
  await Deno.copyFile(
    `${UNITS}/warpdrive-user.service`,
    `${system.root}/srv/warpdrive-user.service`,
  );
  await system.succeed("sh", "-c", USER_MANAGER);
  const asUser = ["setpriv", `--reuid=${USER_ID}`, `--regid=${USER_ID}`, "--clear-groups", "--"];
  const session = ["env", "HOME=/home/user", `XDG_RUNTIME_DIR=/run/user/${USER_ID}`];
  const systemctl = async (...words: string[]) =>
    await system.run(...asUser, ...session, "systemctl", "--user", ...words);
  const read = async () => await system.run(...asUser, "cat", "/home/user/mount/data/file");
  const started = await systemctl("enable", "--now", "warpdrive-user");
  equal(started.code, 0, started.stderr);
  equal((await read()).stdout, "of the user\n");
  ok((await system.run("cat", "/home/user/mount/data/file")).code !== 0, "only the user sees it");
  const pid = (await systemctl("show", "--value", "-p", "MainPID", "warpdrive-user")).stdout.trim();
  await system.succeed("kill", "-KILL", pid);
  await eventually("it serves again", async () => (await read()).stdout === "of the user\n");
  equal((await systemctl("stop", "warpdrive-user")).code, 0);
  equal((await system.run("findmnt", "/home/user/mount")).code, 1);
});
