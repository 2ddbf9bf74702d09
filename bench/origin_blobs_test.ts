import { Buffer } from "node:buffer";
import { deepEqual, equal, match, notDeepEqual } from "node:assert/strict";
import { blobBytes, BlobContents, blobsBelow, listingXml } from "./origin_blobs.ts";

function bytes(contents: BlobContents, name: string, start: number, end: number): Buffer {
  return Buffer.concat([...contents.parts(name, start, end, 1_000_000)]);
}

Deno.test("the name of a blob states its size, and a name without one is absent", () => {
  equal(blobBytes("epoch-1.2x5/shard-00001.5"), 5);
  equal(blobBytes("shard"), null);
});

Deno.test("the bytes of a blob follow from its name and the seed", () => {
  const contents = new BlobContents("seed");
  const whole = bytes(contents, "a.9000000", 0, 9_000_000);
  equal(whole.length, 9_000_000);
  deepEqual(
    bytes(contents, "a.9000000", 4_000_000, 8_500_000),
    whole.subarray(4_000_000, 8_500_000),
  );
  notDeepEqual(bytes(contents, "b.9000000", 0, 100), whole.subarray(0, 100));
  notDeepEqual(bytes(new BlobContents("other"), "a.9000000", 0, 100), whole.subarray(0, 100));
  // Blocks of any usual size differ from each other.
  notDeepEqual(whole.subarray(0, 4096), whole.subarray(4 << 20, (4 << 20) + 4096));
});

Deno.test("the name of a directory states what is in it", () => {
  deepEqual(blobsBelow("d.2x10"), ["d.2x10/shard-00000.10", "d.2x10/shard-00001.10"]);
  deepEqual(blobsBelow("a.10"), []);
  match(listingXml("d.1x10/", '"tag"', "then"), /<Name>d\.1x10\/shard-00000\.10<\/Name>.*>10</);
});
