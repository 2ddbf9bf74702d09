/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * One reader: a thread that reads and waits, as the worker of a data loader does.
 */
import { createHash, type Hash } from "node:crypto";
import { present } from "../../cache/platform/assert.ts";
import { alignedMemory } from "../../cache/platform/aligned_memory.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Libc, type Memory } from "../../cache/platform/libc.ts";
import { describeError } from "../../cache/platform/log.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import { type BenchFile, type ReadRange, type Reads, reads } from "./pattern.ts";
import { OpenFiles } from "./open_files.ts";
import type { FileDigest, ReaderAnswer, ReaderQuestion, ReaderSettings } from "./read_messages.ts";

/** Sector sizes go up to this; a page is enough for every file system. */
const ALIGNMENT = 4_096;

function answer(message: ReaderAnswer): void {
  self.postMessage(message);
}

/** A reader with what it has open. */
class Reader {
  readonly #settings: ReaderSettings;
  readonly #libc = Libc.open();
  readonly #files: OpenFiles;
  readonly #buffer: Memory;
  /** Of each set: the reads to come. */
  readonly #reads: readonly Reads[];
  #digest: { readonly path: string; readonly hash: Hash; bytes: number } | null = null;

  constructor(settings: ReaderSettings) {
    this.#settings = settings;
    const flags = OPEN_FLAGS.RDONLY | (settings.direct ? OPEN_FLAGS.DIRECT : 0);
    this.#files = new OpenFiles(this.#libc, flags);
    // A direct read of a file's end asks for whole sectors.
    const bytes = Math.ceil(settings.chunkBytes / ALIGNMENT) * ALIGNMENT;
    this.#buffer = alignedMemory(bytes, ALIGNMENT);
    this.#reads = settings.sets.map((files) =>
      reads(settings.pattern, files, settings.chunkBytes, settings.place)
    );
  }

  /** Reads from `set` until told to stop. */
  read(set: number): ReaderAnswer {
    const files = present(this.#settings.sets[set], "set of files");
    const ranges = present(this.#reads[set], "reads of a set");
    const latencies = new LatencyHistogram();
    const digests: FileDigest[] = [];
    let bytes = 0;
    let beganMs = systemClock.monotonicMs();
    while (Atomics.load(this.#settings.stop, 0) === 0) {
      const range = ranges.next();
      const file = present(files[range.file], "file of the set");
      this.#readRange(file, range);
      // One look at the clock per read: what is between two reads is a tenth of a microsecond.
      const endedMs = systemClock.monotonicMs();
      latencies.add(endedMs - beganMs);
      beganMs = endedMs;
      bytes += range.lengthBytes;
      const digest = this.#digested(file, range);
      if (digest === null) continue;
      digests.push(digest);
      beganMs = systemClock.monotonicMs();
    }
    return { kind: "done", bytes, counts: latencies.counts, digests };
  }

  #readRange({ path }: BenchFile, { offset, lengthBytes }: ReadRange): void {
    const fd = this.#files.descriptor(path);
    const asked = this.#settings.direct ? this.#buffer.length : lengthBytes;
    let filled = 0;
    while (filled < lengthBytes) {
      // A view costs as much as a tenth of a small read.
      const isWhole = filled === 0 && asked === this.#buffer.length;
      const target = isWhole ? this.#buffer : this.#buffer.subarray(filled, asked);
      const read = this.#libc.readWaiting(fd, target, offset + filled);
      if (read < 0) throw new Error(`Cannot read "${path}" at byte ${offset}: errno ${-read}`);
      if (read === 0) {
        throw new Error(
          `Cannot read "${path}": it ended at byte ${offset + filled}, and was longer`,
        );
      }
      filled += read;
    }
  }

  /** Takes what was just read into the file's checksum; the checksum, behind the last byte. */
  #digested({ path, sizeBytes }: BenchFile, range: ReadRange): FileDigest | null {
    const { digest } = this.#settings;
    if (digest === null) return null;
    if (range.offset === 0) this.#digest = { path, hash: createHash(digest), bytes: 0 };
    const current = this.#digest;
    if (current === null || current.path !== path || current.bytes !== range.offset) return null;
    current.hash.update(this.#buffer.subarray(0, range.lengthBytes));
    current.bytes += range.lengthBytes;
    return current.bytes < sizeBytes ? null : { path, digest: current.hash.digest("hex") };
  }
}

/** Answers questions, one after the other. */
function serve(): void {
  let reader: Reader | null = null;
  self.onmessage = ({ data }: MessageEvent<ReaderQuestion>) => {
    try {
      if (data.kind === "setup") {
        reader = new Reader(data.settings);
        answer({ kind: "ready" });
      } else {
        answer(present(reader, "reader").read(data.set));
      }
    } catch (error) {
      answer({ kind: "failed", message: describeError(error) });
    }
  };
}

serve();
