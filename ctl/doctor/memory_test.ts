import { deepEqual, equal, match } from "node:assert/strict";
import { fakeHost } from "../../tests/support/fake_host.ts";
import { cgroupMemoryLimit } from "./cgroup.ts";
import { judgeMemory, memory } from "./memory.ts";

const GIB = 2 ** 30;
const NEEDS = { buffersBytes: GIB / 2, nodesMax: 1_000_000 };

Deno.test("cgroupMemoryLimit takes the lowest limit of a group and those above it", async () => {
  const host = fakeHost({
    "/proc/self/cgroup": "0::/system.slice/warpdrive.service\n",
    "/sys/fs/cgroup/system.slice/warpdrive.service/memory.max": "max\n",
    "/sys/fs/cgroup/system.slice/memory.max": "2147483648\n",
    "/sys/fs/cgroup/memory.max": "4294967296\n",
  });
  deepEqual(await cgroupMemoryLimit("self", host), {
    bytes: 2 * GIB,
    file: "/sys/fs/cgroup/system.slice/memory.max",
  });
});

Deno.test("cgroupMemoryLimit reads version 1, and its unlimited number is no limit", async () => {
  const groups = { "/proc/7/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/\n" };
  const limited = fakeHost({
    ...groups,
    "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1073741824\n",
  });
  equal((await cgroupMemoryLimit("7", limited))?.bytes, GIB);
  const unlimited = fakeHost({
    ...groups,
    "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n",
  });
  equal(await cgroupMemoryLimit("7", unlimited), null);
});

Deno.test("cgroupMemoryLimit finds that of a container with the paths of its host", async () => {
  const host = fakeHost({
    "/proc/self/cgroup": "0::/kubepods/pod1/c1\n",
    "/sys/fs/cgroup/memory.max": "536870912\n",
  });
  equal((await cgroupMemoryLimit("self", host))?.bytes, GIB / 2);
});

Deno.test("judgeMemory fails where buffers do not fit, and warns where all names do not", () => {
  const limit = (bytes: number) => ({ bytes, file: "/sys/fs/cgroup/memory.max" });
  equal(judgeMemory(NEEDS, limit(GIB / 2), 16 * GIB, null).state, "fail");
  equal(judgeMemory(NEEDS, limit(GIB), 16 * GIB, null).state, "warn");
  equal(judgeMemory(NEEDS, limit(2 * GIB), 16 * GIB, null).state, "ok");
  equal(judgeMemory(NEEDS, null, 16 * GIB, null).state, "ok");
  equal(judgeMemory(NEEDS, null, GIB / 4, null).state, "fail");
  equal(judgeMemory(NEEDS, null, null, null).state, "warn");
});

Deno.test("judgeMemory names the machine where a limit is above what it has", () => {
  const finding = judgeMemory(NEEDS, { bytes: 64 * GIB, file: "x" }, 16 * GIB, null);
  match(finding.detail, /^16 GiB of the machine/);
});

Deno.test("the check of memory looks at the process of a running mount", async () => {
  const host = fakeHost({
    "/proc/meminfo": "MemTotal:       16777216 kB\n",
    "/proc/42/cgroup": "0::/m\n",
    "/proc/42/status": "Name:\twarpdrive\nVmRSS:\t  204800 kB\n",
    "/sys/fs/cgroup/m/memory.max": "536870912\n",
  });
  const finding = await memory(NEEDS, host, () => 42).run(new AbortController().signal);
  equal(finding.state, "fail");
  match(finding.detail, /512 MiB by \/sys\/fs\/cgroup\/m\/memory.max.*the mount has 200 MiB now/);
});
