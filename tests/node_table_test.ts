/** What the mount remembers of a tree far larger than its limits. */
import { equal, ok } from "node:assert/strict";
import { mountAt, parseMountTable } from "../cache/platform/mount_table.ts";
import { createPlace } from "./support/place.ts";

const GIBIBYTE = 2 ** 30;
/** The kernel's cap of open inodes is far above; this is the default of the mount. */
const NODES_MAX = 1_000_000;
const LOOK_AGAIN_MS = 20;

Deno.test("the mount walks 5 million objects in less than 1 GiB", async () => {
  const seen = await walk(5_000, 1_000, NODES_MAX, []);
  equal(seen.names, 1 + 5_000 + 5_000_000);
  ok(seen.residentBytesMax < GIBIBYTE, `${seen.residentBytesMax} bytes resident`);
});

Deno.test("the mount makes the kernel forget nodes beyond its limit", async () => {
  // -size has every object looked up, which makes a node of each.
  const seen = await walk(100, 1_000, 10_000, ["-size", "+1"]);
  equal(seen.names, 100_000);
  ok(seen.residentBytesMax < GIBIBYTE / 4, `${seen.residentBytesMax} bytes resident`);
});

/** Runs `find` with `tests` over a synthetic tree; the names it printed, and the mount's memory. */
async function walk(
  directories: number,
  files: number,
  nodesMax: number,
  tests: readonly string[],
): Promise<{ readonly names: number; readonly residentBytesMax: number }> {
  await using place = await createPlace();
  const script = new URL("./support/synthetic_mount.ts", import.meta.url).pathname;
  const numbers = [directories, files, nodesMax].map(String);
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", script, place.mountPoint, ...numbers],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await mounted(place.mountPoint);
    const find = new Deno.Command("find", {
      args: [place.mountPoint, ...tests],
      stdout: "piped",
    }).spawn();
    let names = 0;
    for await (const chunk of find.stdout) {
      for (const byte of chunk) names += byte === 0x0a ? 1 : 0;
    }
    equal((await find.status).code, 0);
    const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
    return { names, residentBytesMax: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024 };
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
}

/** The kernel has no event for a new mount that a test could wait for. */
async function mounted(path: string): Promise<void> {
  while (mountAt(parseMountTable(await Deno.readTextFile("/proc/self/mountinfo")), path) === null) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
