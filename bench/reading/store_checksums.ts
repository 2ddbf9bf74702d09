/** What stores know of the files of a mount, which tells it as an extended attribute. */
import { present } from "../../cache/platform/assert.ts";
import { type Checksum, DIGEST_NAMES, type DigestName } from "./digest.ts";
import type { BenchFile } from "./pattern.ts";

/** Asks for an extended attribute; null when there is none. */
export interface AttributeReader {
  attributeLater(path: string, name: string): Promise<Uint8Array | null>;
}

const ATTRIBUTE = "user.warpdrive.checksum";
const VALUE = /^([a-z0-9]+):([0-9a-f]+)$/;
/** Files that are looked at to see which checksums their stores keep. */
const SAMPLE = 16;
/** Each takes a blocking thread, and a request to the store. */
const ASKED_AT_ONCE = 16;

/**
 * The kinds of checksums that the stores of `files` keep, as far as some of them tell, from the
 * first to the last: one directory may mix what was written in one piece with what was composed.
 */
export async function storeDigests(
  files: readonly BenchFile[],
  reader: AttributeReader,
): Promise<readonly DigestName[]> {
  const step = Math.max(1, (files.length - 1) / (SAMPLE - 1));
  const sample = Array.from(
    { length: Math.min(SAMPLE, files.length) },
    (_, index) => present(files[Math.round(index * step)], "file of the sample"),
  );
  const asked = sample.map(({ path }) => checksumAt(path, reader));
  const known = (await Promise.all(asked)).flatMap((checksum) => checksum?.digest ?? []);
  return [...new Set(known)];
}

/** What the stores say of the files at `paths`, as far as it is one of these `digests`. */
export async function storeChecksums(
  paths: Iterable<string>,
  digests: readonly DigestName[],
  reader: AttributeReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Checksum>> {
  const expected = new Map<string, Checksum>();
  const queue = new Set(paths).values();
  const ask = async () => {
    for (const path of queue) {
      signal.throwIfAborted();
      const checksum = await checksumAt(path, reader);
      if (checksum !== null && digests.includes(checksum.digest)) expected.set(path, checksum);
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  return expected;
}

async function checksumAt(path: string, reader: AttributeReader): Promise<Checksum | null> {
  const value = await reader.attributeLater(path, ATTRIBUTE);
  const [, kind, hex] = value === null ? [] : VALUE.exec(new TextDecoder().decode(value)) ?? [];
  const digest = DIGEST_NAMES.find((name) => name === kind);
  return digest === undefined || hex === undefined ? null : { digest, hex };
}
