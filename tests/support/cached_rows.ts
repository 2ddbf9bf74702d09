/** Rows of the cache's index, as tests make them. */
import { BlockIndex } from "../../cache/index/block_index.ts";
import { ROW_CHUNKS } from "../../cache/object/chunk_map.ts";
import type { NewObject, ObjectChange } from "../../cache/index/rows.ts";

/** An index at `path` whose ids begin at 1; what is damaged goes to `damage`. */
export function openIndex(path: string, damage: string[] = []): BlockIndex {
  return BlockIndex.open({
    path,
    firstId: 1,
    listings: { rowsMax: 100, bytesMax: 1_000_000 },
    onDamage: (reason) => damage.push(reason),
  });
}

/** A version of `path`, 40 MiB long. */
export function newObject(path: string, version = "v1", lastAccessMs = 1_000): NewObject {
  return {
    backend: "train",
    path,
    version,
    etag: `"${version}"`,
    sizeBytes: 40 * 2 ** 20,
    modified: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
    uid: 1_000,
    lastAccessMs,
    pinned: false,
  };
}

/** A change that announces `blocks` whole blocks whose checksums are all `crc`. */
export function wholeBlocks(id: number, blocks: number, crc: number): ObjectChange {
  return {
    id,
    blocks: Array.from({ length: blocks }, (_, row) => ({
      row,
      present: 0xffffffff,
      crcs: new Uint8Array(new Uint32Array(ROW_CHUNKS).fill(crc).buffer),
    })),
    cachedBytes: blocks * 4 * 2 ** 20,
    lastAccessMs: 2_000 + crc,
  };
}
