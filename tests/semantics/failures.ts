import { deepEqual, equal, ok } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { eventually } from "../support/eventually.ts";
import { SessionFixture } from "../support/fuse_session.ts";
import { CALLER, Fields, kernelMessage } from "../support/kernel_message.ts";
import { STALL } from "../support/remote_store.ts";
import { namesIn, type Sentence, sentence, version, type World } from "./world.ts";

const MIB = 1 << 20;
const REQUEST = 4;
/** What calls on a store that is down come to, before it counts as degraded and after. */
const OUTAGE: readonly number[] = [-ERRNO.EIO, -ERRNO.ETIMEDOUT];

/** Makes the backend `failing` well again and waits until it is. */
async function recover({ remote, strict }: World): Promise<void> {
  remote.proxy.heal();
  await remote.proxy.accept();
  await eventually("the store is back", async () => {
    return (await strict.health()).checks.get("backend failing") === "ok";
  });
}

/** What a wait for a silent store ends with when a signal comes; `killed` says which. */
async function interrupted(killed: boolean, waitMs: number): Promise<number> {
  const fixture = new SessionFixture();
  const { ended } = await fixture.serve((_request, signal) =>
    new Promise((resolve) =>
      signal.get().addEventListener("abort", () => resolve({ kind: "empty" }))
    )
  );
  if (killed) fixture.killed.add(CALLER.pid);
  fixture.channel.push(
    kernelMessage(25, new Fields().u64(1, 0, 0), { ...CALLER, unique: REQUEST }),
    kernelMessage(36, new Fields().u64(REQUEST), { unique: REQUEST + 1, node: 0, pid: 0 }),
  );
  await fixture.clock.advance(waitMs);
  const reply = fixture.channel.replies.find(({ unique }) => unique === REQUEST);
  await fixture.unmount(ended);
  return reply?.errno ?? 0;
}

export const FAILURES: readonly Sentence[] = [
  sentence(
    "What a store fails to answer is EIO or ETIMEDOUT, never ENOENT, a short file or zeros.",
    async (world) => {
      const { posix, strict, remote } = world;
      const fd = await posix.open(`${strict.path}/failing/file`);
      deepEqual(await posix.read(fd, 0, 4096), version(1).slice(0, 4096));
      remote.proxy.inject({ kind: "answer", status: 503, headers: {}, body: "" });
      for (const name of ["file", "missing"]) {
        const opened = await posix.call("open", `${strict.path}/failing/${name}`, 0, 0);
        ok(OUTAGE.includes(opened), `${name}: ${opened}`);
      }
      const address = await posix.done("aligned_alloc", 4096, 4096);
      const read = await posix.call("pread64", fd, address, 4096, 3 * MIB);
      ok(OUTAGE.includes(read), `Read ${read}`);
      await posix.call("free", address);
      await recover(world);
      await posix.done("close", fd);
    },
  ),
  sentence("A store that stays silent for `timeout` is ETIMEDOUT.", async (world) => {
    world.remote.proxy.inject(STALL);
    const opened = await world.posix.call("open", `${world.strict.path}/failing/file`, 0, 0);
    equal(opened, -ERRNO.ETIMEDOUT);
    await recover(world);
  }),
  sentence("What a store does not allow is EACCES.", async (world) => {
    const headers = { "x-ms-error-code": "AuthorizationPermissionMismatch" };
    world.remote.proxy.inject({ kind: "answer", status: 403, headers, body: "" });
    const opened = await world.posix.call("open", `${world.strict.path}/failing/file`, 0, 0);
    equal(opened, -ERRNO.EACCES);
    await recover(world);
  }),
  sentence("The root and the mount paths are listed while stores are down.", async (world) => {
    await world.remote.proxy.refuse();
    deepEqual(await namesIn(world.strict.path), ["failing", "files", "store"]);
    equal((await Deno.stat(`${world.strict.path}/failing`)).isDirectory, true);
    await recover(world);
  }),
  sentence("The failure of one backend does not show on the paths of another.", async (world) => {
    const { posix, strict } = world;
    await world.put("fine", version(2));
    await Deno.writeTextFile(`${world.source}/fine`, "fine");
    await world.remote.proxy.refuse();
    ok(await posix.call("open", `${strict.path}/failing/file`, 0, 0) < 0);
    deepEqual(await Deno.readFile(`${strict.path}/store/fine`), version(2));
    equal(await Deno.readTextFile(`${strict.path}/files/fine`), "fine");
    await recover(world);
  }),
  sentence(
    "After three failures in a row a backend answers EIO at once, until its store is back.",
    async (world) => {
      const { posix, strict, remote } = world;
      await remote.proxy.refuse();
      const open = (name: string) => posix.call("open", `${strict.path}/failing/${name}`, 0, 0);
      for (const name of ["a", "b", "c"]) ok(await open(name) < 0);
      equal((await strict.health()).checks.get("backend failing"), "degraded");
      equal(await open("file"), -ERRNO.EIO);
      await recover(world);
      deepEqual(await Deno.readFile(`${strict.path}/failing/file`), version(1));
    },
  ),
  sentence(
    "A process that is killed leaves at once, however long its store is silent.",
    async () => equal(await interrupted(true, 0), ERRNO.EINTR),
  ),
  sentence(
    "Any other signal ends a wait for a store with EINTR after one second.",
    async () => {
      equal(await interrupted(false, 900), 0);
      equal(await interrupted(false, 1_050), ERRNO.EINTR);
    },
  ),
];
