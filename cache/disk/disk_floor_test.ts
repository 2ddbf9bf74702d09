import { deepEqual, equal } from "node:assert/strict";
import { missingOn, roomOn } from "./disk_floor.ts";

const DISK = { totalBytes: 1_000, freeBytes: 100, totalInodes: 200, freeInodes: 12 };

Deno.test("a disk keeps a twentieth of its bytes and of its files free", () => {
  equal(missingOn(DISK, { bytes: 50, files: 2 }), null);
  deepEqual(missingOn(DISK, { bytes: 51, files: 2 }), { bytes: 1, files: 0 });
  deepEqual(missingOn(DISK, { bytes: 50, files: 3 }), { bytes: 0, files: 1 });
  deepEqual(missingOn({ ...DISK, freeBytes: 0, freeInodes: 0 }, { bytes: 0, files: 1 }), {
    bytes: 50,
    files: 11,
  });
});

Deno.test("a disk has room above its floor, and lacks what is below", () => {
  equal(roomOn(DISK), 50);
  equal(roomOn({ ...DISK, freeBytes: 20 }), -30);
});

Deno.test("a disk that does not count its files has room for any number of them", () => {
  const endless = { ...DISK, totalInodes: Infinity, freeInodes: Infinity };
  equal(missingOn(endless, { bytes: 1, files: 1_000_000 }), null);
});
