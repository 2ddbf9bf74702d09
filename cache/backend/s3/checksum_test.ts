import { deepEqual, equal } from "node:assert/strict";
import { type ChecksumFacts, checksumOf } from "./checksum.ts";

const MD5 = "9e107d9d372bb6826bd81d3542a419d6";
/** SHA-256 of nothing. */
const SHA256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const SHA256_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Deno.test("the ETag of an object that came in one piece is its MD5", () => {
  deepEqual(checksumOf({ ETag: `"${MD5}"` }), { digest: "md5", hex: MD5 });
  deepEqual(checksumOf({ ETag: `"${MD5}"`, ServerSideEncryption: "AES256" }), {
    digest: "md5",
    hex: MD5,
  });
});

Deno.test("the ETag of an object in parts, or under a key of its own, is no checksum", () => {
  equal(checksumOf({ ETag: `"${MD5}-3"` }), null);
  equal(checksumOf({ ETag: `"${MD5}"`, ServerSideEncryption: "aws:kms" }), null);
  equal(checksumOf({ ETag: `"${MD5}"`, SSECustomerAlgorithm: "AES256" }), null);
  equal(checksumOf({}), null);
});

Deno.test("a SHA-256 of the whole object goes before the ETag, one of its parts does not", () => {
  const whole = { ETag: `"${MD5}-3"`, ChecksumSHA256: SHA256 } as const;
  deepEqual(checksumOf(whole), { digest: "sha256", hex: SHA256_HEX });
  deepEqual(checksumOf({ ...whole, ChecksumType: "FULL_OBJECT" }), {
    digest: "sha256",
    hex: SHA256_HEX,
  });
  equal(checksumOf({ ...whole, ChecksumType: "COMPOSITE" }), null);
  equal(checksumOf({ ETag: `"${MD5}-3"`, ChecksumSHA256: `${SHA256}-3` }), null);
});

/** Of "123456789", as catalogues of CRCs give them. */
const CRCS = [
  ["ChecksumCRC64NVME", "rosUhgp5mIg=", "crc64nvme", "ae8b14860a799888"],
  ["ChecksumCRC32C", "4waSgw==", "crc32c", "e3069283"],
  ["ChecksumCRC32", "y/Q5Jg==", "crc32", "cbf43926"],
] as const;

Deno.test("a CRC of the whole object counts where there is nothing stronger", () => {
  for (const [field, base64, digest, hex] of CRCS) {
    const facts = { ETag: `"${MD5}-3"`, [field]: base64, ChecksumType: "FULL_OBJECT" } as const;
    deepEqual(checksumOf(facts), { digest, hex });
    deepEqual(checksumOf({ ...facts, ETag: MD5 }), { digest: "md5", hex: MD5 });
    const encrypted = { ...facts, ETag: MD5, ServerSideEncryption: "aws:kms" } as const;
    deepEqual(checksumOf(encrypted), { digest, hex });
    deepEqual(checksumOf({ ...facts, ChecksumSHA256: SHA256 })?.digest, "sha256");
  }
});

Deno.test("a CRC of CRCs of parts is no checksum", () => {
  for (const [field, base64] of CRCS) {
    const facts = { ETag: `"${MD5}-3"`, [field]: base64 };
    equal(checksumOf({ ...facts, ChecksumType: "COMPOSITE" }), null);
    equal(checksumOf({ ...facts, [field]: `${base64}-3` }), null);
  }
});

Deno.test("the longest CRC goes before the others", () => {
  const all = Object.fromEntries(CRCS.map(([field, base64]) => [field, base64]));
  for (const [field, _, digest] of CRCS) {
    equal(checksumOf(all)?.digest, digest);
    delete all[field];
  }
});

Deno.test("other hashes of the whole object count, too, the strong ones first", () => {
  const all: ChecksumFacts = {
    ETag: `"${MD5}-3"`,
    ChecksumSHA512: `${"A".repeat(86)}==`,
    ChecksumSHA1: `${"A".repeat(27)}=`,
    ChecksumMD5: `${"A".repeat(22)}==`,
  };
  const { ChecksumSHA512: _512, ...short } = all;
  const { ChecksumSHA1: _1, ...shortest } = short;
  deepEqual(checksumOf(all), { digest: "sha512", hex: "0".repeat(128) });
  deepEqual(checksumOf(short), { digest: "sha1", hex: "0".repeat(40) });
  deepEqual(checksumOf(shortest), { digest: "md5", hex: "0".repeat(32) });
});
