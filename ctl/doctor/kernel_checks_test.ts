import { equal, match } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { fakeHost, ORDINARY, PRIVILEGED } from "../../tests/support/fake_host.ts";
import { allowOther } from "./allow_other.ts";
import type { Check } from "./check.ts";
import { fuseDevice } from "./fuse_device.ts";
import { mountState } from "./mount_state.ts";
import { openFiles } from "./open_files.ts";
import { passthrough } from "./passthrough.ts";
import { type PassthroughAnswer, probePassthrough } from "./passthrough_probe.ts";
import { privilege } from "./privilege.ts";

const libc = Libc.open();
const ROOT = fakeHost({ "/proc/self/status": PRIVILEGED });
const USER = fakeHost({ "/proc/self/status": ORDINARY });

async function run(check: Check) {
  return await check.run(new AbortController().signal);
}

Deno.test("the check of the device tells what is missing from what is forbidden", async () => {
  equal((await run(fuseDevice(ROOT))).state, "ok");
  const missing = { ...ROOT, device: () => Promise.resolve("missing" as const) };
  match((await run(fuseDevice(missing))).remedy ?? "", /modprobe fuse/);
  const denied = { ...ROOT, device: () => Promise.resolve("denied" as const) };
  match((await run(fuseDevice(denied))).remedy ?? "", /SYS_ADMIN/);
});

Deno.test("the check of privilege takes fusermount3 where there is no capability", async () => {
  equal((await run(privilege(ROOT))).state, "ok");
  equal((await run(privilege(USER))).state, "fail");
  const helped = { ...USER, program: () => Promise.resolve("/usr/bin/fusermount3") };
  equal((await run(privilege(helped))).detail, "mounts through /usr/bin/fusermount3");
});

Deno.test("the check of allow_other reads fuse.conf", async () => {
  equal((await run(allowOther(true, USER))).state, "fail");
  const texts = { "/proc/self/status": ORDINARY, "/etc/fuse.conf": "user_allow_other\n" };
  equal((await run(allowOther(true, fakeHost(texts)))).state, "ok");
});

Deno.test("the check of open files warns about a low limit", async () => {
  const limits = "Max open files            1024                 4096 files\n";
  equal((await run(openFiles(fakeHost({ "/proc/self/limits": limits })))).state, "warn");
});

Deno.test("the check of passthrough says what the kernel answered", async () => {
  const ask = (answer: PassthroughAnswer) =>
    run(passthrough(true, true, ROOT, () => Promise.resolve(answer)));
  equal((await ask({ kind: "works" })).state, "ok");
  match((await ask({ kind: "not_offered" })).remedy ?? "", /CONFIG_FUSE_PASSTHROUGH/);
  const stacked = await ask({ kind: "refused", errno: ERRNO.ELOOP });
  match(`${stacked.detail} ${stacked.remedy}`, /ELOOP.*ext4 or xfs/);
  match((await ask({ kind: "not_tried" })).detail, /^possible with kernel 6\.12/);
});

Deno.test("the check of passthrough mounts nothing where it would tell nothing", async () => {
  const untouched = () => Promise.reject(new Error("Nobody asks"));
  equal((await run(passthrough(false, true, ROOT, untouched))).state, "ok");
  equal((await run(passthrough(true, false, ROOT, untouched))).state, "ok");
  equal((await run(passthrough(true, true, USER, untouched))).state, "warn");
});

Deno.test({
  name: "probePassthrough asks the kernel, and leaves no mount and no file",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const below = await Deno.makeTempDir();
    try {
      const answer = await probePassthrough(libc, below);
      equal(["works", "not_offered", "refused"].includes(answer.kind), true, answer.kind);
      equal([...Deno.readDirSync(below)].length, 0);
      const mounts = await Deno.readTextFile("/proc/self/mountinfo");
      equal(mounts.includes("fuse.warpdrive-doctor"), false);
    } finally {
      await Deno.remove(below, { recursive: true });
    }
  },
});

Deno.test("the check of the mount tells one that answers from one that does not", async () => {
  const table = "36 35 0:50 / /mnt/wd ro - fuse.warpdrive warpdrive ro\n" +
    "37 35 0:51 / /mnt/nfs rw - nfs4 host:/x rw\n";
  const host = fakeHost({ "/proc/self/mountinfo": table });
  const alive = () => Promise.resolve();
  const dead = () => Promise.reject(new Error("Transport endpoint is not connected"));
  equal((await run(mountState("/mnt/none", host, dead))).state, "ok");
  match((await run(mountState("/mnt/wd", host, alive))).detail, /is mounted, and answers/);
  const gone = await run(mountState("/mnt/wd", host, dead));
  equal(gone.state, "fail");
  match(gone.detail, /not connected/);
  match((await run(mountState("/mnt/nfs", host, alive))).detail, /another program, of type nfs4/);
});
