/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * One reader: a thread that reads and waits, as the worker of a data loader does.
 */
import { present } from "../../cache/platform/assert.ts";
import { alignedMemory } from "../../cache/platform/aligned_memory.ts";
import { Libc, type Memory } from "../../cache/platform/libc.ts";
import { describeError } from "../../cache/platform/log.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";
import { type Digest, type DigestName, openDigest } from "./digest.ts";
import { LatencyHistogram } from "./latency_histogram.ts";
import { type BenchFile, type ReadRange, type Reads, reads } from "./pattern.ts";
import { OpenFiles } from "./open_files.ts";
import { ToldDigests } from "./told_digests.ts";
import type { FileDigest, ReaderAnswer, ReaderQuestion, ReaderSettings } from "./read_messages.ts";

/** Sector sizes go up to this; a page is enough for every file system. */
const ALIGNMENT = 4_096;

function answer(message: ReaderAnswer): void {
  self.postMessage(message);
}

/** A kind of checksum, and what computes it. */
interface OpenDigest {
  readonly name: DigestName;
  readonly digest: Digest;
}

/** A reader with what it has open. */
class Reader {
  readonly #settings: ReaderSettings;
  readonly #libc = Libc.open();
  readonly #files: OpenFiles;
  readonly #buffer: Memory;
  /** Of each set: the reads to come. */
  readonly #reads: readonly Reads[];
  readonly #digests: readonly OpenDigest[];
  /** The file whose checksums are being taken. */
  #digested: { readonly path: string; bytes: number } | null = null;

  private constructor(settings: ReaderSettings, digests: readonly OpenDigest[]) {
    this.#settings = settings;
    this.#digests = digests;
    const flags = OPEN_FLAGS.RDONLY | (settings.direct ? OPEN_FLAGS.DIRECT : 0);
    this.#files = new OpenFiles(this.#libc, flags);
    // A direct read of a file's end asks for whole sectors.
    const bytes = Math.ceil(settings.chunkBytes / ALIGNMENT) * ALIGNMENT;
    this.#buffer = alignedMemory(bytes, ALIGNMENT);
    this.#reads = settings.sets.map((files) =>
      reads(settings.pattern, files, settings.chunkBytes, settings.place)
    );
  }

  static async open(settings: ReaderSettings): Promise<Reader> {
    const digests = settings.digests.map(async (name) => ({
      name,
      digest: await openDigest(name),
    }));
    return new Reader(settings, await Promise.all(digests));
  }

  /** Reads from `set` until told to stop. */
  read(set: number): ReaderAnswer {
    const files = present(this.#settings.sets[set], "set of files");
    const ranges = present(this.#reads[set], "reads of a set");
    const latencies = new LatencyHistogram();
    const told = new ToldDigests();
    let bytes = 0;
    let beganMs = this.#libc.monotonicMs();
    while (Atomics.load(this.#settings.stop, 0) === 0) {
      const range = ranges.next();
      const file = present(files[range.file], "file of the set");
      this.#readRange(file, range);
      // One look at the clock per read: what is between two reads is a tenth of a microsecond.
      const endedMs = this.#libc.monotonicMs();
      latencies.add(endedMs - beganMs);
      beganMs = endedMs;
      bytes += range.lengthBytes;
      if (this.#digests.length === 0) continue;
      for (const digest of this.#digest(file, range)) told.add(digest);
      beganMs = this.#libc.monotonicMs();
    }
    return { kind: "done", bytes, counts: latencies.counts, digests: told.all };
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

  /** Takes what was just read into the file's checksums; these, behind the last byte. */
  #digest({ path, sizeBytes }: BenchFile, range: ReadRange): readonly FileDigest[] {
    if (range.offset === 0) {
      this.#digested = { path, bytes: 0 };
      for (const { digest } of this.#digests) digest.start();
    }
    const current = this.#digested;
    if (current === null || current.path !== path || current.bytes !== range.offset) return [];
    const bytes = this.#buffer.subarray(0, range.lengthBytes);
    for (const { digest } of this.#digests) digest.update(bytes);
    current.bytes += range.lengthBytes;
    if (current.bytes < sizeBytes) return [];
    return this.#digests.map(({ name, digest }) => ({ path, digest: name, hex: digest.hex() }));
  }
}

/** Answers questions, one after the other. */
function serve(): void {
  let reader: Reader | null = null;
  self.onmessage = async ({ data }: MessageEvent<ReaderQuestion>) => {
    try {
      if (data.kind === "setup") {
        reader = await Reader.open(data.settings);
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
