/** Checksums that stores keep of their objects. */
import { Buffer } from "node:buffer";

/**
 * A checksum of all bytes of an object, in lower-case hexadecimal digits. A CRC has the bits and
 * the order of its catalogue entry: https://reveng.sourceforge.io/crc-catalogue/
 */
export interface Checksum {
  readonly digest: "sha512" | "sha256" | "sha1" | "md5" | "crc64nvme" | "crc32c" | "crc32";
  readonly hex: string;
}

/** The bytes that `base64` stands for, in hexadecimal digits; how clouds write a checksum. */
export function hexOfBase64(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
