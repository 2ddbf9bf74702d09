/** What S3 says of the contents of an object. */
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { type Checksum, hexOfBase64 } from "../checksum.ts";

/** Checksums that who writes an object may ask for, the strong ones first. */
const HASHES = [
  { digest: "sha512", field: "ChecksumSHA512", base64: /^[A-Za-z0-9+/]{86}==$/ },
  { digest: "sha256", field: "ChecksumSHA256", base64: /^[A-Za-z0-9+/]{43}=$/ },
  { digest: "sha1", field: "ChecksumSHA1", base64: /^[A-Za-z0-9+/]{27}=$/ },
  { digest: "md5", field: "ChecksumMD5", base64: /^[A-Za-z0-9+/]{22}==$/ },
] as const;
const CRCS = [
  { digest: "crc64nvme", field: "ChecksumCRC64NVME", base64: /^[A-Za-z0-9+/]{11}=$/ },
  { digest: "crc32c", field: "ChecksumCRC32C", base64: /^[A-Za-z0-9+/]{6}==$/ },
  { digest: "crc32", field: "ChecksumCRC32", base64: /^[A-Za-z0-9+/]{6}==$/ },
] as const;
const MD5 = /^"?([0-9a-f]{32})"?$/;

/** Facts of HEAD that tell a checksum, or that there is none. */
export type ChecksumFacts = Partial<
  Pick<
    HeadObjectCommandOutput,
    | (typeof HASHES | typeof CRCS)[number]["field"]
    | "ChecksumType"
    | "ETag"
    | "ServerSideEncryption"
    | "SSECustomerAlgorithm"
  >
>;

/**
 * The checksum of all bytes of an object; null where S3 knows none. An ETag is the MD5 of what was
 * put in one request, unless it is encrypted with a key of its own:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export function checksumOf(facts: ChecksumFacts): Checksum | null {
  return kept(HASHES, facts) ?? md5Of(facts) ?? kept(CRCS, facts);
}

/** The first of `kinds` that is there and is of all bytes: one of parts has their number behind. */
function kept(kinds: typeof HASHES | typeof CRCS, facts: ChecksumFacts): Checksum | null {
  if (facts.ChecksumType === "COMPOSITE") return null;
  for (const { digest, field, base64 } of kinds) {
    const value = facts[field] ?? "";
    if (base64.test(value)) return { digest, hex: hexOfBase64(value) };
  }
  return null;
}

function md5Of(facts: ChecksumFacts): Checksum | null {
  const { ETag: etag = "", ServerSideEncryption: encryption, SSECustomerAlgorithm: key } = facts;
  const isPlain = key === undefined && (encryption === undefined || encryption === "AES256");
  const hex = isPlain ? MD5.exec(etag)?.[1] : undefined;
  return hex === undefined ? null : { digest: "md5", hex };
}
