/** What crash tests read: the same objects in the killed process and in the one after it. */
import type { ObjectEntry } from "../../cache/backend/backend.ts";
import { sampleBytes } from "./sample_bytes.ts";
import { SeededRandom } from "./seeded_random.ts";
import { WatchedBackend } from "./watched_backend.ts";

const OBJECTS = 28;
const MIB = 1 << 20;

/** The cache holds about half of the objects, so that there is always something to evict. */
export const CRASH_CACHE = {
  sizeBytesMax: 20 * MIB,
  blockBytes: MIB,
  policy: "lru",
  memoryBytes: 64 * MIB,
} as const;

/** An object and its bytes. */
export interface CrashObject {
  readonly path: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly entry: ObjectEntry;
}

/** The store with all of its objects, in an order that every process shares. */
export function crashStore(): {
  readonly backend: WatchedBackend;
  readonly objects: readonly CrashObject[];
} {
  const backend = new WatchedBackend();
  const random = new SeededRandom(4711);
  const objects = Array.from({ length: OBJECTS }, (_, number) => {
    const content = sampleBytes(1 + random.below(3 * MIB), number);
    const path = `object${number}`;
    return { path, content, entry: backend.seed(path, content) };
  });
  return { backend, objects };
}
