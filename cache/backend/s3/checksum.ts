/** What S3 says of the contents of an object. */
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { type Checksum, hexOfBase64 } from "../checksum.ts";

/** Facts of HEAD that tell a checksum, or that there is none. */
export type ChecksumFacts = Partial<
  Pick<
    HeadObjectCommandOutput,
    "ETag" | "ChecksumSHA256" | "ChecksumType" | "ServerSideEncryption" | "SSECustomerAlgorithm"
  >
>;

/** A SHA-256 in base64; one of parts has their number behind it. */
const SHA256 = /^[A-Za-z0-9+/]{43}=$/;
const MD5 = /^"?([0-9a-f]{32})"?$/;

/**
 * The checksum of all bytes of an object; null where S3 knows none. An ETag is the MD5 of what was
 * put in one request, unless it is encrypted with a key of its own:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export function checksumOf(facts: ChecksumFacts): Checksum | null {
  const { ChecksumSHA256: sha256 = "", ChecksumType: type } = facts;
  if (type !== "COMPOSITE" && SHA256.test(sha256)) {
    return { digest: "sha256", hex: hexOfBase64(sha256) };
  }
  const { ServerSideEncryption: encryption, SSECustomerAlgorithm: customerKey } = facts;
  const isPlain = customerKey === undefined &&
    (encryption === undefined || encryption === "AES256");
  const hex = isPlain ? MD5.exec(facts.ETag ?? "")?.[1] : undefined;
  return hex === undefined ? null : { digest: "md5", hex };
}
