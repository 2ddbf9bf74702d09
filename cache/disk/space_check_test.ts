import { equal, match } from "node:assert/strict";
import type { DiskSpace } from "./disk_space.ts";
import { checkCacheSpace, judgeSpace } from "./space_check.ts";

const GIB = 2 ** 30;

Deno.test("judgeSpace counts what is cached already, and what stays free", () => {
  const disk: DiskSpace = {
    totalBytes: 100 * GIB,
    freeBytes: 60 * GIB,
    totalInodes: 1e6,
    freeInodes: 1e6,
  };
  equal(judgeSpace(50 * GIB, disk, false).state, "ok");
  match(judgeSpace(60 * GIB, disk, false).detail, /there is room for 55 GiB/);
  equal(judgeSpace(90 * GIB, disk, true).state, "ok");
  match(judgeSpace(2048 * GIB, disk, true).detail, /there is room for 95 GiB/);
  match(judgeSpace(GIB, { ...disk, freeBytes: 5 * GIB }, true).detail, /nothing more is cached/);
  match(judgeSpace(GIB, { ...disk, freeInodes: 55_000 }, true).detail, /few files can be created/);
});

Deno.test("checkCacheSpace doubts a disk that does not tell its space", async () => {
  // A file has nothing below it.
  const path = "/proc/self/status/cache";
  const finding = await checkCacheSpace({ path, sizeBytesMax: GIB }, path);
  equal(`${finding.state} ${finding.subject}`, "warn cache space");
  match(finding.detail, /^Cannot ask for the space of "\/proc\/self\/status\/cache": /);
  match(finding.remedy ?? "", /^Check that its disk is mounted/);
});
