/**
 * What the cache is compared with on cold reads: a loop around `fetch` and nothing else, with
 * several requests at once and every body read into memory that is used again.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../cache/platform/clock.ts";

/** One run of the loop. Sizes in bytes. */
export interface FetchLoad {
  readonly url: string;
  readonly sizeBytes: number;
  /** Requests at once. */
  readonly streams: number;
  readonly requestBytes: number;
  /** The whole blob in order, or places drawn at random for so long. */
  readonly pattern: "sequential" | { readonly randomSeconds: number };
  /** File to write to what arrives, at its own offset; null to drop it. */
  readonly keptIn: string | null;
}

/** What a loop reached. */
export interface FetchResult {
  readonly bytes: number;
  readonly requests: number;
  readonly seconds: number;
}

/** Bytes asked of a body at once: as fast as any, see `cache/backend/range_answer.ts`. */
const STREAM_BYTES = 256 * 1024;
/** Random places are multiples of this. */
const ALIGNMENT_BYTES = 4096;

/** Runs the loop. */
export async function fetchLoop(load: FetchLoad, clock: Clock): Promise<FetchResult> {
  const { sizeBytes, requestBytes, pattern, keptIn } = load;
  using file = keptIn === null ? null : await Deno.open(keptIn, { write: true, createNew: true });
  const startedMs = clock.monotonicMs();
  let bytes = 0;
  let requests = 0;
  const next = (): number | null => {
    if (pattern === "sequential") {
      const offset = requests * requestBytes;
      return offset < sizeBytes ? offset : null;
    }
    if (clock.monotonicMs() - startedMs >= pattern.randomSeconds * 1_000) return null;
    const drawn = createHash("sha256").update(`${load.url} ${requests}`).digest().readUIntBE(0, 6);
    return drawn % Math.floor((sizeBytes - requestBytes) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  };
  const stream = async () => {
    for (let offset = next(); offset !== null; offset = next()) {
      requests += 1;
      const end = Math.min(sizeBytes, offset + requestBytes);
      await readRange(load.url, offset, end, file);
      bytes += end - offset;
    }
  };
  await Promise.all(Array.from({ length: load.streams }, stream));
  return { bytes, requests, seconds: (clock.monotonicMs() - startedMs) / 1_000 };
}

async function readRange(
  url: string,
  start: number,
  end: number,
  file: Deno.FsFile | null,
): Promise<void> {
  const response = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } });
  const reader = response.body?.getReader({ mode: "byob" });
  if (response.status !== 206 || reader === undefined) {
    throw new Error(`Fetch "${url}": answered ${response.status} where 206 was wanted`);
  }
  let bytes = 0;
  let buffer = new ArrayBuffer(Math.min(STREAM_BYTES, end - start));
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done || value === undefined) break;
    file?.seekSync(start + bytes, Deno.SeekMode.Start);
    file?.writeSync(value);
    bytes += value.length;
    buffer = value.buffer;
  }
  if (bytes !== end - start) {
    throw new Error(`Fetch "${url}": got ${bytes} bytes where ${end - start} were asked for`);
  }
}
