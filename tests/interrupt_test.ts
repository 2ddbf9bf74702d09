/** Callers that a signal reaches while their store does not answer. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { succeed } from "./support/command.ts";
import { eventually } from "./support/eventually.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { mountsBelow } from "./support/place.ts";
import { Posix } from "./support/posix.ts";
import { RemoteStore, STALL } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { TextLineStream } from "../cache/platform/text_lines.ts";

const MIB = 1 << 20;
const CONTENT = sampleBytes(8 * MIB, 3);

let store: RemoteStore | null = null;
Deno.test.beforeAll(async () => {
  store = await RemoteStore.start();
  await store.container("store", { file: CONTENT, "directory/file": CONTENT.subarray(0, 10) });
});
Deno.test.afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

function started(): RemoteStore {
  if (store === null) throw new Error("The store has not been started");
  return store;
}

/** A mount of the store. With a patience of hours, only a signal ends a wait for it. */
async function mountStore(patience: string): Promise<Mounted> {
  const { variables, proxy } = started();
  proxy.heal();
  proxy.seen.length = 0;
  const backends = [started().backend("store", "proxied", { timeout: patience })];
  return await mount({ config: { backends }, variables });
}

/** Starts `command` and waits until it waits for the stalled store. */
async function stalled(...command: readonly [string, ...string[]]): Promise<Deno.ChildProcess> {
  const { proxy } = started();
  const before = proxy.seen.length;
  const [program, ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  await eventually("the store is asked", () => Promise.resolve(proxy.seen.length > before));
  return child;
}

/** Callers that wait for the store, each by way of another request. */
const CALLERS = [
  { caller: "reader", command: ["cat"], path: "file" },
  { caller: "reader past the page cache", command: ["dd", "iflag=direct"], path: "file" },
  { caller: "lister", command: ["ls"], path: "directory" },
  { caller: "caller of stat", command: ["stat"], path: "another" },
] as const;

for (const { caller, command, path } of CALLERS) {
  Deno.test(`A killed ${caller} leaves though the store never answers`, async () => {
    await using mounted = await mountStore("1h");
    if (path === "file") await Deno.stat(`${mounted.path}/store/${path}`);
    started().proxy.inject(STALL);
    const [program, ...args] = command;
    const operand = `${program === "dd" ? "if=" : ""}${mounted.path}/store/${path}`;
    const child = await stalled(program, ...args, operand);
    child.kill("SIGKILL");
    equal((await child.status).signal, "SIGKILL");
    equal((await mounted.health("livez")).code, 200);
  });
}

Deno.test("Many readers killed at once all leave, and the mount ends as if idle", async () => {
  await using mounted = await mountStore("1h");
  const path = `${mounted.path}/store/file`;
  await Deno.stat(path);
  started().proxy.inject(STALL);
  const first = await stalled("cat", path);
  const others = Array.from(
    { length: 20 },
    () =>
      new Deno.Command("cat", { args: [path], stdin: "null", stdout: "null", stderr: "null" })
        .spawn(),
  );
  await eventually("all have opened the file", async () => {
    const opens = 'warpdrive_fuse_operations_total{operation="open"}';
    return ((await mounted.metrics()).get(opens) ?? 0) >= 21;
  });
  for (const child of [first, ...others]) child.kill("SIGKILL");
  for (const child of [first, ...others]) equal((await child.status).signal, "SIGKILL");
  equal(await mounted.stop("SIGTERM"), 0);
  deepEqual(await mountsBelow(mounted.place.root), []);
});

Deno.test("A reader hears its signals while it waits, and may go on waiting", async () => {
  await using mounted = await mountStore("1h");
  const path = `${mounted.path}/store/file`;
  await Deno.stat(path);
  started().proxy.inject(STALL);
  // SIGUSR1 makes dd say how far it got, once a system call returned, and go on.
  const child = new Deno.Command("dd", {
    args: [`if=${path}`, "of=/dev/null", "iflag=direct", "bs=4096", "count=1"],
    stdin: "null",
    stderr: "piped",
  }).spawn();
  await eventually("the store is asked", () => Promise.resolve(started().reads > 0));
  child.kill("SIGUSR1");
  const lines = child.stderr.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream()).getReader();
  equal((await lines.read()).value, "0+0 records in");
  await lines.cancel();
  child.kill("SIGTERM");
  equal((await child.status).signal, "SIGTERM");
});

Deno.test("A reader that a timer interrupts every 5 ms makes progress", async () => {
  await using mounted = await mountStore("1h");
  started().proxy.inject({ kind: "slow", latencyMs: 100, bytesPerSecond: 200 * MIB });
  const reader = new URL("./support/timed_reader.ts", import.meta.url).pathname;
  const report = JSON.parse(
    await succeed(
      Deno.execPath(),
      "run",
      "--allow-all",
      "--no-check",
      reader,
      `${mounted.path}/store/file`,
    ),
  );
  equal(report.sum, createHash("sha256").update(CONTENT).digest("hex"));
  // Each read takes longer than many intervals, and none is cut short by them.
  equal(report.interrupted, 0);
  ok(started().reads >= CONTENT.length / MIB);
});

Deno.test("A stalled read ends with ETIMEDOUT, and succeeds once the store is back", async () => {
  await using mounted = await mountStore("1s");
  using posix = new Posix();
  const fd = await posix.open(`${mounted.path}/store/file`);
  started().proxy.inject(STALL);
  const buffer = await posix.done("aligned_alloc", 4096, 4096);
  equal(await posix.call("pread64", fd, buffer, 4096, 0), -ERRNO.ETIMEDOUT);
  started().proxy.heal();
  deepEqual(await posix.read(fd, 0, 4096), CONTENT.slice(0, 4096));
  await posix.done("close", fd);
});

Deno.test("A mount that is forced to end lets its stalled readers go", async () => {
  await using mounted = await mountStore("1h");
  using posix = new Posix();
  const fd = await posix.open(`${mounted.path}/store/file`, OPEN_FLAGS.RDONLY);
  started().proxy.inject(STALL);
  const buffer = await posix.done("aligned_alloc", 4096, 4096);
  const reading = posix.call("pread64", fd, buffer, 4096, 0);
  await eventually("the store is asked", () => Promise.resolve(started().reads > 0));
  mounted.program.signal("SIGTERM");
  await mounted.program.logged("that it is busy", ({ fields }) => "holders" in fields);
  equal(await mounted.stop("SIGTERM"), 0);
  const result = await reading;
  ok(result < 0, `read ${result} bytes`);
  await posix.call("close", fd);
});
