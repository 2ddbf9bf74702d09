import { equal } from "node:assert/strict";
import { DIGEST_NAMES, openDigest } from "./digest.ts";

/** Of "123456789": those of CRCs are the check values of their catalogue. */
const CHECKS = {
  sha512: "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a" +
    "d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
  sha256: "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
  sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  md5: "25f9e794323b453885f5181f1b624d0b",
  crc64nvme: "ae8b14860a799888",
  crc32c: "e3069283",
  crc32: "cbf43926",
};

const encoder = new TextEncoder();

for (const name of DIGEST_NAMES) {
  Deno.test(`${name} is that of all bytes since it was started, in pieces or at once`, async () => {
    const digest = await openDigest(name);
    for (const pieces of [["123456789"], ["1", "2345678", "", "9"]]) {
      digest.start();
      for (const piece of pieces) digest.update(encoder.encode(piece));
      equal(digest.hex(), CHECKS[name]);
    }
  });

  Deno.test(`${name} of a file of many chunks tells one damaged bit`, async () => {
    const [digest, other] = await Promise.all([openDigest(name), openDigest(name)]);
    const chunk = Uint8Array.from({ length: 100_003 }, (_, index) => index % 251);
    const damaged = chunk.slice();
    damaged[99_999] = (damaged[99_999] ?? 0) ^ 1;
    for (const one of [digest, other]) one.start();
    // In turn: two digests have nothing in common.
    for (const last of [false, false, true]) {
      digest.update(chunk);
      other.update(last ? damaged : chunk);
    }
    const [whole, broken] = [digest.hex(), other.hex()];
    equal(whole === broken, false);
    equal(whole.length, CHECKS[name].length);
    digest.start();
    for (let count = 0; count < 3; count += 1) digest.update(chunk);
    equal(digest.hex(), whole);
  });
}

Deno.test("a CRC that begins with zeros has all its digits", async () => {
  for (const name of ["crc64nvme", "crc32c", "crc32"] as const) {
    const digest = await openDigest(name);
    digest.start();
    equal(digest.hex(), "0".repeat(CHECKS[name].length));
  }
});
