import { deepEqual, equal } from "node:assert/strict";
import { printed } from "../../tests/support/printed.ts";
import { type Status, STATUS_ANSWER } from "../api_status.ts";
import { type Format, printReport } from "../output/format.ts";
import { statusSections } from "./status.ts";

const HEALTHY: Status["backends"][number] = {
  ...{ name: "images", type: "azureblob", mount_path: "images", state: "healthy" },
  ...{ latency_ms: 12.345, reason: null, since: null, names_from: "store" },
  ...{ silent_reason: null, silent_since: null, credential_expires: "2027-01-01T00:00:00.000Z" },
};
const SILENT: Status["backends"][number] = {
  ...HEALTHY,
  ...{ name: "video", mount_path: "a/video", state: "degraded", latency_ms: null },
  ...{ reason: "no route", since: "2026-11-22T19:35:37.000Z", names_from: "known" },
  ...{ silent_reason: "no answer for 5s", silent_since: "2026-11-22T19:35:30.000Z" },
  ...{ credential_expires: null },
};
const STATUS: Status = STATUS_ANSWER.parse({
  mount: {
    ...{ mount_point: "/mnt/data", pid: 4711, uid: 0, version: "0.1.0", commit: "1a2b3c4" },
    ...{ started: "2026-11-22T19:30:00.000Z", uptime_seconds: 5_400, nodes: 120_345 },
    ...{ open_files: 8, plans: 1, warm_jobs: 2 },
  },
  kernel: { release: "6.18.0", protocol: "7.45", passthrough: true, prune: false },
  cache: {
    ...{ path: "/var/cache/wd", policy: "adaptive", state: "working", reason: null, since: null },
    ...{ used_bytes: 3 * 2 ** 30, size_bytes_max: 2 ** 32, pinned_bytes: 2 ** 20, objects: 1_281 },
  },
  backends: [HEALTHY, SILENT],
});

function as(format: Format, status: Status = STATUS): string {
  return printed((stdout) => printReport(statusSections(status), format, stdout))
    .replaceAll("\r\n", "\n");
}

Deno.test("status prints its tables below each other, for people", () => {
  equal(
    as("table"),
    `\
Mount
MOUNT POINT  /mnt/data
PROCESS      4711
USER ID      0
VERSION      0.1.0
COMMIT       1a2b3c4
STARTED      2026-11-22 19:30:00Z
UPTIME       1.5h
INODES       120,345
OPEN FILES   8
PLANS        1
WARM JOBS    2

Kernel
RELEASE        6.18.0
FUSE PROTOCOL  7.45
PASSTHROUGH    yes
PRUNE          no

Cache
PATH     /var/cache/wd
POLICY   adaptive
STATE    working
REASON   -
SINCE    -
USED     3 GiB
LIMIT    4 GiB
FILL     75.0%
PINNED   1 MiB
ENTRIES  1,281

Backends
NAME    TYPE       MOUNT PATH  STATE     LATENCY  NAMES                 SINCE       CREDENTIAL ENDS\
  REASON
images  azureblob  images      healthy      12ms  store                     -  2027-01-01 00:00:00Z\
  -
video   azureblob  a/video     degraded        -  known  2026-11-22 19:35:37Z                     -\
  no route
`,
  );
});

Deno.test("status prints one line of CSV for each value, by table, row and field", () => {
  equal(
    as("csv", { ...STATUS, cache: null, backends: [SILENT] }),
    `\
section,item,field,value
mount,,mount_point,/mnt/data
mount,,pid,4711
mount,,uid,0
mount,,version,0.1.0
mount,,commit,1a2b3c4
mount,,started,2026-11-22T19:30:00.000Z
mount,,uptime_ms,5400000
mount,,nodes,120345
mount,,open_files,8
mount,,plans,1
mount,,warm_jobs,2
kernel,,release,6.18.0
kernel,,protocol,7.45
kernel,,passthrough,yes
kernel,,prune,no
backends,video,name,video
backends,video,type,azureblob
backends,video,mount_path,a/video
backends,video,state,degraded
backends,video,latency_ms,
backends,video,names_from,known
backends,video,since,2026-11-22T19:35:37.000Z
backends,video,credential_expires,
backends,video,reason,"no route"
`,
  );
});

Deno.test("status prints one JSON object by table, null for a cache there is none of", () => {
  const { mount, kernel, cache, backends } = JSON.parse(as("json", { ...STATUS, cache: null }));
  deepEqual([mount.pid, mount.uptime_ms, kernel.passthrough, cache], [
    4_711,
    5_400_000,
    "yes",
    null,
  ]);
  deepEqual(backends[0], {
    ...{ name: "images", type: "azureblob", mount_path: "images", state: "healthy" },
    ...{ latency_ms: 12.345, names_from: "store", since: null, reason: null },
    credential_expires: "2027-01-01T00:00:00.000Z",
  });
  equal(JSON.parse(as("json")).cache.fill_percent, 75);
});
