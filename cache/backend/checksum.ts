/** Checksums that stores keep of their objects. */
import { Buffer } from "node:buffer";

/** A checksum of all bytes of an object, in lower-case hexadecimal digits. */
export interface Checksum {
  readonly digest: "md5" | "sha256";
  readonly hex: string;
}

/** The bytes that `base64` stands for, in hexadecimal digits; how clouds write a checksum. */
export function hexOfBase64(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
