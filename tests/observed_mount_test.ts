/** What a real mount tells of itself: metrics, health, and the service manager. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { METRICS } from "../cache/metrics/metrics.ts";
import { succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { holdOnTo } from "./support/holder.ts";
import { mount, Mounted, mountTest, ROOT } from "./support/mounted.ts";
import { NotifySocket } from "./support/notify_socket.ts";
import { createPlace } from "./support/place.ts";

async function fill(source: string): Promise<void> {
  await Deno.mkdir(`${source}/directory`);
  for (const name of ["a", "b", "c"]) await Deno.writeTextFile(`${source}/directory/${name}`, name);
}

const SERVED = { fuse: { passthrough: false, attr_timeout: "0", entry_timeout: "0" } };

mountTest("Metrics of a mount", { fill, config: SERVED }, async (mounted, step) => {
  const operations = async (operation: string) =>
    (await mounted.metrics()).get(`warpdrive_fuse_operations_total{operation="${operation}"}`) ?? 0;
  await step("count each request of the kernel", async () => {
    const before = { read: await operations("read"), open: await operations("open") };
    for (const name of ["a", "b", "c"]) await Deno.readFile(`${mounted.data}/directory/${name}`);
    equal(await operations("open") - before.open, 3);
    equal(await operations("read") - before.read, 3);
    ok(await operations("lookup") >= 5);
  });
  await step("measure how long requests take", async () => {
    const metrics = await mounted.metrics();
    const of = (series: string) =>
      metrics.get(`warpdrive_fuse_operation_duration_seconds_${series}operation="read"}`) ?? NaN;
    equal(of("count{"), await operations("read"));
    equal(of('bucket{le="+Inf",'), await operations("read"));
    ok(of("sum{") > 0);
  });
  await step("follow the nodes the kernel knows", async () => {
    const before = (await mounted.metrics()).get("warpdrive_fuse_nodes") ?? NaN;
    await Deno.mkdir(`${mounted.place.source}/new`);
    await Deno.stat(`${mounted.data}/new`);
    equal((await mounted.metrics()).get("warpdrive_fuse_nodes"), before + 1);
  });
  await step(
    "are all there from the start, but for those whose labels come with events",
    async () => {
      const names = new Set([...(await mounted.metrics()).keys()].map((key) => key.split("{")[0]));
      const expected = Object.values(METRICS)
        .filter(({ labels, type }) => labels.length === 0 && type !== "histogram")
        .map(({ name }) => name);
      deepEqual(expected.filter((name) => !names.has(name)), []);
      ok(names.has("warpdrive_build_info") && names.has("warpdrive_backend_degraded"));
    },
  );
});

Deno.test("A mount that is well says so, check by check", async () => {
  await using mounted = await mount({ fill });
  deepEqual(await mounted.health(), {
    code: 200,
    status: "ok",
    checks: new Map([["mount", "ok"], ["backend data", "ok"]]),
  });
  deepEqual(await mounted.health("livez"), {
    code: 200,
    status: "ok",
    checks: new Map([["mount", "ok"]]),
  });
});

Deno.test("The service manager hears when a mount is ready, alive and stopping", async () => {
  await using place = await createPlace();
  await fill(place.source);
  const path = `${place.root}/notify`;
  using socket = await NotifySocket.listen(path);
  await using mounted = await Mounted.start(place, {
    variables: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" },
  });
  const ready = await socket.receive();
  equal(ready.get("READY"), "1");
  match(ready.get("STATUS") ?? "", /Serving 1 backends? at \S+\/mount/);
  for (let beat = 0; beat < 3; beat += 1) {
    deepEqual(await socket.receive(), new Map([["WATCHDOG", "1"]]));
  }
  mounted.program.signal("SIGTERM");
  let last = await socket.receive();
  while (last.has("WATCHDOG")) last = await socket.receive();
  equal(last.get("STOPPING"), "1");
  equal(await mounted.program.exit(), 0);
});

Deno.test({
  name: "The service manager hears of a mount that only a container has: it is alive",
  ignore: !ROOT,
  fn: async () => {
    await using place = await createPlace();
    await fill(place.source);
    const path = `${place.root}/notify`;
    using socket = await NotifySocket.listen(path);
    await using mounted = await Mounted.start(place, {
      variables: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" },
    });
    const file = `${mounted.data}/directory/a`;
    await using container = await holdOnTo(file, "open file in a mount namespace");
    await succeed("umount", mounted.path);
    for (let heard = await socket.receive(); !/^Unmounted/.test(heard.get("STATUS") ?? "");) {
      heard = await socket.receive();
    }
    for (let beat = 0; beat < 3; beat += 1) {
      deepEqual(await socket.receive(), new Map([["WATCHDOG", "1"]]));
    }
    await container[Symbol.asyncDispose]();
    equal(await mounted.program.exit(), 0);
  },
});

Deno.test("A backend whose root is missing is reported, listed, and comes by itself", async () => {
  await using place = await createPlace();
  const root = `${place.source}/later`;
  await using mounted = await Mounted.start(place, {
    config: { backends: [{ name: "absent", type: "local", config: { root } }] },
  });
  const names = await Array.fromAsync(Deno.readDir(mounted.path));
  deepEqual(names.map(({ name }) => name), ["absent"]);
  equal((await Deno.stat(`${mounted.path}/absent`)).isDirectory, true);
  const health = await mounted.health();
  deepEqual([health.code, health.checks.get("backend absent")], [503, "failed"]);
  equal((await mounted.health("livez")).code, 200);
  await Deno.mkdir(root);
  await Deno.writeTextFile(`${root}/file`, "here");
  await eventually("the backend is well", async () => (await mounted.health()).code === 200);
  equal(await Deno.readTextFile(`${mounted.path}/absent/file`), "here");
});
