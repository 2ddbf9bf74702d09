/** How fast the disk of the cache writes and reads, past the page cache. */
import type { Clock } from "../../cache/platform/clock.ts";
import { alignedMemory } from "../../cache/platform/aligned_memory.ts";
import { doubtful, type Finding, good, skipped } from "../../cache/platform/finding.ts";
import type { Libc, Memory } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { formatBytes } from "../../cache/platform/units.ts";
import type { Check } from "./check.ts";
import { FORBIDDEN, openProbe } from "./probe_file.ts";

const SUBJECT = "disk speed";
/** A block of the cache. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Largest sector of any disk. */
const SECTOR_BYTES = 4_096;
/** Longest time for writing, and for reading. */
const PASS_MS_MAX = 3_000;
/** The trial takes at most a tenth of what is free above the floor, and only for a moment. */
const ROOM_FACTOR = 10;
/** Below these a good network is faster than the disk, and the cache of little use. */
const READ_BYTES_PER_S_MIN = 200e6;
const WRITE_BYTES_PER_S_MIN = 100e6;

/** How much is tried. */
export interface SpeedTrial {
  readonly bytes: number;
  /** Pieces written or read at a time. */
  readonly depth: number;
}

/** When nobody uses the disk. */
export const FULL_TRIAL: SpeedTrial = { bytes: 256 * 1024 * 1024, depth: 4 };
/** While a mount serves from it: over before its users notice. */
export const GENTLE_TRIAL: SpeedTrial = { bytes: 32 * 1024 * 1024, depth: 1 };

/** What the check asks. */
export interface DiskSpeedFacts {
  /** An existing directory on the disk. */
  readonly directory: () => Promise<string>;
  /** Whether that many bytes can be taken for a moment. */
  readonly hasRoom: (bytes: number) => Promise<boolean>;
  readonly trial: () => SpeedTrial;
  readonly libc: Libc;
  readonly clock: Clock;
}

/** The check of speed. */
export function diskSpeed(facts: DiskSpeedFacts): Check {
  return {
    name: "disk_speed",
    subject: SUBJECT,
    deadlineMs: 4 * PASS_MS_MAX,
    run: (signal) => measure(facts, signal),
  };
}

async function measure(facts: DiskSpeedFacts, signal: AbortSignal): Promise<Finding> {
  const { libc, clock } = facts;
  const { files } = libc;
  const trial = facts.trial();
  if (!await facts.hasRoom(trial.bytes * ROOM_FACTOR)) {
    return skipped(SUBJECT, "too little free space to try it");
  }
  const probe = await openProbe(await facts.directory(), OPEN_FLAGS.DIRECT, files);
  if (probe.kind === "forbidden") return skipped(SUBJECT, FORBIDDEN);
  if (probe.kind === "unsupported") {
    return skipped(SUBJECT, "this file system has no O_DIRECT, so it cannot be told");
  }
  const { fd } = probe;
  try {
    const memories = Array.from(
      { length: trial.depth },
      () => alignedMemory(PIECE_BYTES, SECTOR_BYTES).fill(0x5a),
    );
    const pass = { pieces: trial.bytes / PIECE_BYTES, memories, clock, signal };
    const write = await timed(pass, async (memory, offset) => {
      return await files.writeAtLater(fd, memory, offset) === memory.length;
    }, () => files.syncLater(fd));
    if (write === null) return doubtful(SUBJECT, "writing failed", "Check the disk and its log");
    const written = { ...pass, pieces: write.pieces };
    const read = await timed(written, async (memory, offset) => {
      return await libc.readLater(fd, memory, offset) === memory.length;
    }, () => Promise.resolve(true));
    if (read === null) return doubtful(SUBJECT, "reading failed", "Check the disk and its log");
    return judgeSpeed(write, read, trial.depth);
  } finally {
    await files.closeLater(fd);
  }
}

interface Pass {
  readonly pieces: number;
  readonly memories: readonly Memory[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What one pass moved. */
export interface Moved {
  readonly pieces: number;
  readonly ms: number;
}

/** Moves pieces until all are, or the time is over; null when one could not be moved. */
async function timed(
  { pieces, memories, clock, signal }: Pass,
  move: (memory: Memory, offset: number) => Promise<boolean>,
  finish: () => Promise<boolean>,
): Promise<Moved | null> {
  const begunMs = clock.monotonicMs();
  let next = 0;
  const lanes = memories.map(async (memory) => {
    while (next < pieces && clock.monotonicMs() - begunMs < PASS_MS_MAX && !signal.aborted) {
      const offset = next * PIECE_BYTES;
      next += 1;
      if (!await move(memory, offset)) return false;
    }
    return true;
  });
  // All of them end before their memory and the file go.
  const moved = (await Promise.all(lanes)).every((done) => done) && await finish();
  signal.throwIfAborted();
  return moved ? { pieces: next, ms: clock.monotonicMs() - begunMs } : null;
}

/** What the two passes mean. */
export function judgeSpeed(write: Moved, read: Moved, depth: number): Finding {
  const [writeSpeed, readSpeed] = [bytesPerSecond(write), bytesPerSecond(read)];
  const found = `writes ${perSecond(writeSpeed)}, reads ${perSecond(readSpeed)} (${
    formatBytes(read.pieces * PIECE_BYTES)
  } with O_DIRECT, ${depth} at a time, removed again)`;
  if (writeSpeed >= WRITE_BYTES_PER_S_MIN && readSpeed >= READ_BYTES_PER_S_MIN) {
    return good(SUBJECT, found);
  }
  return doubtful(SUBJECT, `${found}: slow for a cache`, "Put cache.path on a local NVMe disk");
}

function bytesPerSecond({ pieces, ms }: Moved): number {
  return pieces * PIECE_BYTES * 1_000 / Math.max(ms, 0.001);
}

function perSecond(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB/s` : `${Math.round(bytes / 1e6)} MB/s`;
}
