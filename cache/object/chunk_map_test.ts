import { deepEqual, equal, throws } from "node:assert/strict";
import { CHUNK_BYTES, ChunkMap, ROW_CHUNKS } from "./chunk_map.ts";

/** All chunks of `map`, as `missing`, `present` or `verified`. */
function states(map: ChunkMap): string[] {
  return Array.from({ length: map.count }, (_, chunk) => {
    return map.isVerified(chunk) ? "verified" : map.has(chunk) ? "present" : "missing";
  });
}

Deno.test("ChunkMap knows which chunks are there, which are believed, and their bytes", () => {
  const map = new ChunkMap(3 * CHUNK_BYTES + 5);
  equal(map.count, 4);
  deepEqual([map.complete, map.trusted, map.presentBytes], [false, false, 0]);
  map.add(3, 33);
  equal(map.presentBytes, 5);
  map.add(1, 11);
  map.add(1, 11);
  equal(map.presentBytes, CHUNK_BYTES + 5);
  deepEqual(states(map), ["missing", "verified", "missing", "verified"]);
  equal(map.isReadable(1, 1), true);
  equal(map.isReadable(1, 2), false);
  map.add(0, 0);
  map.add(2, 22);
  deepEqual([map.complete, map.trusted], [true, true]);
  equal(map.presentBytes, map.sizeBytes);
  map.drop(2);
  map.drop(2);
  deepEqual([map.complete, map.trusted], [false, false]);
  equal(map.presentBytes, 2 * CHUNK_BYTES + 5);
});

Deno.test("ChunkMap of an empty object is complete", () => {
  const map = new ChunkMap(0);
  deepEqual([map.count, map.complete, map.trusted, map.presentBytes], [0, true, true, 0]);
});

Deno.test("ChunkMap gives its rows back as they were, present and not verified", () => {
  const map = new ChunkMap((ROW_CHUNKS + 3) * CHUNK_BYTES);
  for (const chunk of [0, 31, 32, 34]) map.add(chunk, 0xffff0000 + chunk);
  const rows = [map.row(0), map.row(1)];
  equal(rows[0]?.present, 0x80000001);
  equal(rows[0]?.crcs.length, 4 * ROW_CHUNKS);
  const loaded = new ChunkMap(map.sizeBytes);
  for (const row of rows) loaded.load(row);
  deepEqual(states(loaded), states(map).map((state) => state === "verified" ? "present" : state));
  for (const chunk of [0, 31, 32, 34]) equal(loaded.crc(chunk), 0xffff0000 + chunk);
  deepEqual([loaded.row(0), loaded.row(1)], rows);
  equal(loaded.presentBytes, map.presentBytes);
  loaded.verified(31);
  equal(loaded.isReadable(31, 31), true);
});

Deno.test("ChunkMap ignores chunks behind the object and keeps what was written", () => {
  const map = new ChunkMap(2 * CHUNK_BYTES);
  map.add(0, 7);
  map.load({ row: 0, present: 0xffffffff, crcs: new Uint8Array(4 * ROW_CHUNKS).fill(1) });
  deepEqual(states(map), ["verified", "present"]);
  equal(map.crc(0), 7);
  equal(map.presentBytes, 2 * CHUNK_BYTES);
});

Deno.test("ChunkMap believes a whole object again, or none of it", () => {
  const map = new ChunkMap(2 * CHUNK_BYTES);
  map.add(0, 1);
  throws(() => map.trustAll(), /Only a complete object is trusted/);
  throws(() => map.verified(1), /Only a present chunk is verified/);
  map.add(1, 2);
  map.distrust();
  deepEqual(states(map), ["present", "present"]);
  deepEqual([map.complete, map.trusted, map.isReadable(0, 1)], [true, false, false]);
  map.trustAll();
  deepEqual([map.trusted, map.isReadable(0, 1)], [true, true]);
});
