/** Checksums of the bytes of files, of all kinds that lists and stores have. */
import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { createCRC32, createCRC64, type IHasher } from "hash-wasm";

/** The kinds: hashes, and CRCs by the names of their catalogue. */
export const DIGEST_NAMES = [
  "sha512",
  "sha256",
  "sha1",
  "md5",
  "crc64nvme",
  "crc32c",
  "crc32",
] as const;
export type DigestName = (typeof DIGEST_NAMES)[number];

/** A checksum of all bytes of a file, in lower-case digits. */
export interface Checksum {
  readonly digest: DigestName;
  readonly hex: string;
}

/** Polynomials with their bits reversed, as the CRCs of stores take bytes from the lowest bit. */
const CASTAGNOLI = 0x82f63b78;
const NVME = "9a6c9329ac4bc9b5";

/** Computes checksums, one after the other. */
export interface Digest {
  /** Forgets what came so far. */
  start(): void;
  /** Takes the bytes behind those that came since the start. */
  update(bytes: Uint8Array): void;
  /** The checksum of all that came, in lower-case digits. Nothing may follow but a start. */
  hex(): string;
}

/** Computes checksums of kind `name`. */
export async function openDigest(name: DigestName): Promise<Digest> {
  switch (name) {
    case "crc32":
      return new Crc32();
    case "crc32c":
      return wasmDigest(await createCRC32(CASTAGNOLI));
    case "crc64nvme":
      return wasmDigest(await createCRC64(NVME));
    default:
      return new CryptoHash(name);
  }
}

/** The CRC that zlib has computes by instructions made for it, far faster than all others. */
class Crc32 implements Digest {
  #value = 0;

  start(): void {
    this.#value = 0;
  }

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  hex(): string {
    return this.#value.toString(16).padStart(8, "0");
  }
}

class CryptoHash implements Digest {
  readonly #name: string;
  #hash: Hash;

  constructor(name: string) {
    this.#name = name;
    this.#hash = createHash(name);
  }

  start(): void {
    this.#hash = createHash(this.#name);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  hex(): string {
    return this.#hash.digest("hex");
  }
}

function wasmDigest(hasher: IHasher): Digest {
  return {
    start: () => void hasher.init(),
    update: (bytes) => void hasher.update(bytes),
    hex: () => hasher.digest(),
  };
}
