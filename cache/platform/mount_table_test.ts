import { deepEqual, equal } from "node:assert/strict";
import { mountAbove, mountAt, parseMountTable } from "./mount_table.ts";

const TABLE = `24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=1024k
61 27 0:52 / /mnt/two\\040words ro,nosuid shared:3 master:1 - fuse.warpdrive warpdrive ro
62 27 8:1 / /mnt/a rw - ext4 /dev/sda1 rw
63 62 0:53 / /mnt/a ro - fuse.warpdrive warpdrive ro

`;

Deno.test("parseMountTable reads mount points, devices and types past optional fields", () => {
  deepEqual(parseMountTable(TABLE)[1], {
    mountPoint: "/mnt/two words",
    device: "0:52",
    type: "fuse.warpdrive",
    source: "warpdrive",
  });
  equal(parseMountTable(TABLE).length, 4);
});

Deno.test("mountAt finds the topmost mount of a path", () => {
  equal(mountAt(parseMountTable(TABLE), "/mnt/a")?.type, "fuse.warpdrive");
  equal(mountAt(parseMountTable(TABLE), "/mnt"), null);
});

Deno.test("mountAbove finds the topmost of the closest mounts that a path is on", () => {
  const root = "21 1 8:2 / / rw - overlay overlay rw\n";
  const find = (path: string) => mountAbove(parseMountTable(root + TABLE), path);
  equal(find("/mnt/a/b")?.type, "fuse.warpdrive");
  equal(find("/mnt/a")?.type, "fuse.warpdrive");
  deepEqual([find("/mnt/ab")?.type, find("/")?.type], ["overlay", "overlay"]);
  equal(mountAbove(parseMountTable(TABLE), "/mnt/ab"), null);
});

Deno.test("parseMountTable reads this machine's own table", async () => {
  const table = parseMountTable(await Deno.readTextFile("/proc/self/mountinfo"));
  equal(mountAt(table, "/proc")?.type, "proc");
});
