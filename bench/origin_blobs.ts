/** What the origin stores: blobs that nobody wrote, whose bytes follow from their names. */
import { Buffer } from "node:buffer";
import { createCipheriv, createHash } from "node:crypto";

/**
 * Bytes that repeat through every blob. Of a length that no block or page size divides, so that
 * bytes from a wrong place are wrong bytes; small enough for the processor's cache, so that
 * serving them costs no more than the copy to the socket.
 */
const PATTERN_BYTES = 4 * 1024 * 1024 + 4093;

/**
 * The size that the name of a blob states, `shard-00.16777216`, or null for a name without one:
 * only such names are there.
 */
export function blobBytes(name: string): number | null {
  const stated = /\.(\d{1,15})$/.exec(name)?.[1];
  return stated === undefined ? null : Number(stated);
}

/** Contents of all blobs. */
export class BlobContents {
  readonly #pattern: Uint8Array<ArrayBuffer>;

  constructor(seed: string) {
    const digest = createHash("sha256").update(seed).digest();
    const cipher = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
    this.#pattern = new Uint8Array(cipher.update(Buffer.alloc(PATTERN_BYTES)));
  }

  /** Bytes `start` to `end` of blob `name`, in parts of at most `partBytes`. */
  *parts(name: string, start: number, end: number, partBytes: number): Generator<Uint8Array> {
    // Each blob begins elsewhere in the pattern.
    const shift = createHash("sha256").update(name).digest().readUInt32LE();
    for (let offset = start; offset < end;) {
      const from = (shift + offset) % PATTERN_BYTES;
      const part = this.#pattern.subarray(from, from + Math.min(partBytes, end - offset));
      yield part;
      offset += part.length;
    }
  }
}

/** Names of the blobs below directory `directory`, which states them: `epoch-1.32x16777216`. */
export function blobsBelow(directory: string): string[] {
  const [, count, size] = /\.(\d{1,5})x(\d{1,15})$/.exec(directory) ?? [];
  return Array.from({ length: Number(count ?? 0) }, (_, index) => {
    return `${directory}/shard-${String(index).padStart(5, "0")}.${size}`;
  });
}

/** The one page of a listing of what begins with `prefix`, as the Blob service writes it. */
export function listingXml(prefix: string, etag: string, modified: string): string {
  const blobs = blobsBelow(prefix.replace(/\/$/, "")).map((name) =>
    `<Blob><Name>${name}</Name><Properties><Last-Modified>${modified}</Last-Modified>` +
    `<Etag>${etag.replaceAll('"', "")}</Etag><Content-Length>${blobBytes(name)}</Content-Length>` +
    `<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>` +
    "</Properties></Blob>"
  );
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs.join("")}` +
    "</Blobs><NextMarker /></EnumerationResults>";
}
