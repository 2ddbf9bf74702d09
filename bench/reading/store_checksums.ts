/** What stores know of the files of a mount, which tells it as an extended attribute. */
import type { BenchFile } from "./pattern.ts";
import type { DigestName } from "./read_messages.ts";

/** Asks for an extended attribute; null when there is none. */
export interface AttributeReader {
  attributeLater(path: string, name: string): Promise<Uint8Array | null>;
}

const ATTRIBUTE = "user.warpdrive.checksum";
const VALUE = /^(md5|sha256):([0-9a-f]{32,64})$/;
/** Files that are looked at to see whether their store keeps checksums. */
const SAMPLE = 16;
/** Each takes a blocking thread, and a request to the store. */
const ASKED_AT_ONCE = 16;

interface StoreChecksum {
  readonly digest: DigestName;
  readonly hex: string;
}

/** The kind of checksum that the store of `files` keeps; null when the first ones have none. */
export async function storeDigest(
  files: readonly BenchFile[],
  reader: AttributeReader,
): Promise<DigestName | null> {
  const asked = files.slice(0, SAMPLE).map(({ path }) => checksumAt(path, reader));
  const known = (await Promise.all(asked)).find((checksum) => checksum !== null);
  return known?.digest ?? null;
}

/** What the store says of the files at `paths`, as far as it keeps checksums of kind `digest`. */
export async function storeChecksums(
  paths: Iterable<string>,
  digest: DigestName,
  reader: AttributeReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const expected = new Map<string, string>();
  const queue = new Set(paths).values();
  const ask = async () => {
    for (const path of queue) {
      signal.throwIfAborted();
      const checksum = await checksumAt(path, reader);
      if (checksum?.digest === digest) expected.set(path, checksum.hex);
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  return expected;
}

async function checksumAt(path: string, reader: AttributeReader): Promise<StoreChecksum | null> {
  const value = await reader.attributeLater(path, ATTRIBUTE);
  const [, digest, hex] = value === null ? [] : VALUE.exec(new TextDecoder().decode(value)) ?? [];
  if (hex === undefined) return null;
  return { digest: digest === "md5" ? "md5" : "sha256", hex };
}
