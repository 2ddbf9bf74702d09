import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { Backend } from "../cache/backend/backend.ts";
import { LocalBackend } from "../cache/backend/local/backend.ts";
import type { BackendSettings } from "../cache/backend/settings.ts";
import { CacheDirectory } from "../cache/disk/cache_directory.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { type CheckDeps, checkMount, runCheck } from "./check.ts";
import { type Machine, thisMachine } from "./check/machine.ts";
import type { MountConfig } from "./config.ts";
import { parseMountConfig } from "./config_file.ts";

const NEVER = new AbortController().signal;
const EMPTY_ENV = { get: () => undefined };

function openLocal({ name, source }: BackendSettings): Promise<Backend> {
  if (source.type !== "local") throw new Error(`Cannot open "${name}": wanted a local backend`);
  return Promise.resolve(new LocalBackend(name, source.root, Libc.open()));
}

/** This machine, with what differs between test machines fixed: it may mount. */
const MACHINE: Machine = {
  ...thisMachine(EMPTY_ENV),
  kernelRelease: "6.12.0",
  device: () => Promise.resolve("ok"),
  text: (path) => Promise.resolve(path === "/proc/self/status" ? "CapEff:\t200000\n" : null),
};

const DEPS: CheckDeps = {
  machine: MACHINE,
  libc: Libc.open(),
  open: openLocal,
  clock: systemClock,
};

function configOf(mountPoint: string, roots: readonly string[], cache?: string): MountConfig {
  const backends = roots.map((root, index) => ({
    name: `b${index}`,
    type: "local",
    config: { root },
  }));
  const text = JSON.stringify({
    mount_point: mountPoint,
    metrics: { addr: "127.0.0.1:0" },
    ...(cache === undefined ? {} : { cache: { path: cache, max_size: "1GiB" } }),
    backends,
  });
  const outcome = parseMountConfig(text, {
    env: EMPTY_ENV,
    readTextFile: () => "",
    user: { uid: 0, gid: 0 },
  });
  if (!outcome.ok) throw new Error(outcome.problems.map(({ message }) => message).join("\n"));
  return outcome.config;
}

/** Runs `test` in a directory with `mnt` and `data/file` in it, and removes it afterwards. */
async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${directory}/mnt`);
    await Deno.mkdir(`${directory}/data`);
    await Deno.writeTextFile(`${directory}/data/file`, "x");
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function failures(config: MountConfig): Promise<string[]> {
  const findings = await checkMount(config, DEPS, NEVER);
  return findings.filter(({ state }) => state === "fail").map(({ subject }) => subject);
}

Deno.test("checkMount finds nothing wrong where a mount would work", async () => {
  await inDirectory(async (directory) => {
    deepEqual(await failures(configOf(`${directory}/mnt`, [`${directory}/data`])), []);
  });
});

Deno.test("checkMount names each backend that does not answer", async () => {
  await inDirectory(async (directory) => {
    const roots = [`${directory}/data`, `${directory}/none`];
    deepEqual(await failures(configOf(`${directory}/mnt`, roots)), ['backend "b1"']);
  });
});

Deno.test("checkMount tells a root that is not there from a store that is silent", async () => {
  await inDirectory(async (directory) => {
    for (const [root, reason] of [["none", "does not exist"], ["data/file", "is no directory"]]) {
      const config = configOf(`${directory}/mnt`, [`${directory}/${root}`]);
      const finding = (await checkMount(config, DEPS, NEVER)).at(-1);
      equal(finding?.detail, `wrong root: its root "${directory}/${root}" ${reason}`);
      equal(finding?.remedy, "Correct root, or create the directory");
    }
  });
});

Deno.test("checkMount refuses a mount point that is missing, a file or not empty", async () => {
  await inDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/source`);
    const roots = [`${directory}/source`];
    deepEqual(await failures(configOf(`${directory}/none`, roots)), ["mount point"]);
    deepEqual(await failures(configOf(`${directory}/data/file`, roots)), ["mount point"]);
    deepEqual(await failures(configOf(`${directory}/data`, roots)), ["mount point"]);
  });
});

Deno.test("checkMount sees through a link that leads a root around the mount point", async () => {
  await inDirectory(async (directory) => {
    await Deno.symlink(directory, `${directory}/data/link`);
    const config = configOf(`${directory}/mnt`, [`${directory}/data/link`]);
    deepEqual(await failures(config), ['root of "b0"']);
  });
});

Deno.test("checkMount refuses a cache that the mount could not create", async () => {
  await inDirectory(async (directory) => {
    const impossible = [`${directory}/data/file`, `${directory}/data/file/cache`, "/proc/cache"];
    for (const path of impossible) {
      const config = configOf(`${directory}/mnt`, [`${directory}/data`], path);
      deepEqual(await failures(config), ["cache directory"], path);
    }
    const config = configOf(`${directory}/mnt`, [`${directory}/data`], `${directory}/new/cache`);
    deepEqual(await failures(config), []);
  });
});

Deno.test("checkMount finds that another mount uses the cache", async () => {
  await inDirectory(async (directory) => {
    const cache = `${directory}/cache`;
    const holder = { pid: 4711, mountPoint: "/mnt/other", sinceMs: 0 };
    using _held = CacheDirectory.open(cache, holder, DEPS.libc);
    const config = configOf(`${directory}/mnt`, [`${directory}/data`], cache);
    deepEqual(await failures(config), ["cache lock"]);
  });
});

Deno.test("checkMount finds that the metrics address is taken", async () => {
  await inDirectory(async (directory) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const config = configOf(`${directory}/mnt`, [`${directory}/data`]);
    const metrics = { ...config.metrics, port: listener.addr.port };
    deepEqual(await failures({ ...config, metrics }), ["metrics"]);
  });
});

Deno.test("checkMount does not wait for a mount point that hangs", async () => {
  await inDirectory(async (directory) => {
    const config = configOf(`${directory}/mnt`, [`${directory}/data`]);
    const hanging = { ...MACHINE, mountPoint: () => new Promise<never>(() => {}) };
    const clock = { ...systemClock, sleep: () => Promise.resolve() };
    const findings = await checkMount(config, { ...DEPS, machine: hanging, clock }, NEVER);
    const place = findings.find(({ subject }) => subject === "mount point");
    match(place?.detail ?? "", /No answer in time/);
  });
});

Deno.test("checkMount does not wait for a cache on a file system that hangs", async () => {
  await inDirectory(async (directory) => {
    const cache = `${directory}/cache`;
    await Deno.mkdir(cache);
    const config = configOf(`${directory}/mnt`, [`${directory}/data`], cache);
    const realPath = (path: string) =>
      path === cache ? new Promise<never>(() => {}) : MACHINE.realPath(path);
    const clock = { ...systemClock, sleep: () => Promise.resolve() };
    const deps = { ...DEPS, machine: { ...MACHINE, realPath }, clock };
    const findings = await checkMount(config, deps, NEVER);
    const found = findings.filter(({ subject }) => subject.startsWith("cache "));
    deepEqual(found.map(({ state }) => state), ["fail", "skipped", "skipped"]);
    match(found[0]?.detail ?? "", /^".*cache" cannot be looked at: No answer in time/);
  });
});

Deno.test("checkMount ends when it is interrupted", async () => {
  await inDirectory(async (directory) => {
    const config = configOf(`${directory}/mnt`, [`${directory}/data`]);
    await rejects(checkMount(config, DEPS, AbortSignal.abort(new Error("Stopped"))), /Stopped/);
  });
});

Deno.test("runCheck prints the report and exits by its verdict", async () => {
  await inDirectory(async (directory) => {
    const lines: string[] = [];
    const stdout = { isTerminal: false, write: (text: string) => void lines.push(text) };
    const roots = [`${directory}/data`];
    equal(await runCheck(configOf(`${directory}/mnt`, roots), DEPS, stdout, NEVER), 0);
    equal(await runCheck(configOf(`${directory}/none`, roots), DEPS, stdout, NEVER), 1);
    match(lines.join(""), /The mount would work: [^]*The mount would not work: 1 failure/);
  });
});
