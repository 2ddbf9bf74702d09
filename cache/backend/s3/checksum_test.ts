import { deepEqual, equal } from "node:assert/strict";
import { checksumOf } from "./checksum.ts";

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
