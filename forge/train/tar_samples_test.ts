import assert from "node:assert/strict";
import { pack } from "tar-stream";
import { ShardError } from "./tar_members.ts";
import { type Sample, tarSamples } from "./tar_samples.ts";

/** A tar archive with these members. */
async function archive(...members: readonly (readonly [string, string])[]): Promise<Uint8Array> {
  const packed = pack();
  for (const [name, body] of members) packed.entry({ name }, body);
  packed.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of packed) {
    assert.ok(part instanceof Uint8Array);
    parts.push(part);
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `bytes` in pieces that cut through headers and bodies. */
function* pieces(bytes: Uint8Array, length = 100): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.slice(start, start + length);
  }
}

async function samplesOf(bytes: Uint8Array): Promise<Sample[]> {
  return await Array.fromAsync(tarSamples(pieces(bytes)));
}

/** Rejects with a ShardError that says `message`. */
async function refused(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(samplesOf(bytes), (error: unknown) => {
    assert.ok(error instanceof ShardError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

Deno.test("tarSamples pairs an image and a label in whatever order they come", async () => {
  const samples = await samplesOf(
    await archive(["a.jpg", "image a"], ["b.cls", "7\n"], ["a.cls", " 3 "], ["b.PNG", "image b"]),
  );
  assert.deepEqual(samples.map(({ key, label }) => [key, label]), [["a", 3], ["b", 7]]);
  assert.deepEqual(samples.map(({ image }) => text(image)), ["image a", "image b"]);
});

Deno.test("tarSamples cuts a name at its first dot, and keys hold the directory", async () => {
  const samples = await samplesOf(
    await archive(
      ["v1.5/cat.jpg", "image"],
      ["v1.5/cat.seg.png", "passed over: its extension is seg.png"],
      ["v1.5/cat.json", "{}"],
      ["v1.5/cat.cls", "-1"],
    ),
  );
  assert.deepEqual(samples.map(({ key, label }) => [key, label]), [["v1.5/cat", -1]]);
});

Deno.test("tarSamples reads names too long for a plain header", async () => {
  const long = `${"d".repeat(150)}/${"n".repeat(150)}`;
  const samples = await samplesOf(await archive([`${long}.jpg`, "image"], [`${long}.cls`, "1"]));
  assert.equal(samples[0]?.key, long);
});

Deno.test("tarSamples names the member and the byte of what is no sample", async () => {
  await refused(
    await archive(["a.jpg", "x"], ["a.cls", "1"], ["b.jpg", ""], ["b.cls", "1"]),
    /^member "b\.jpg" at byte 2048: the image is empty$/,
  );
  await refused(
    await archive(["a.cls", "cat"]),
    /^member "a\.cls" at byte 0: wanted a whole number, found "cat"$/,
  );
  await refused(
    await archive(["a.jpg", "x"], ["a.jpeg", "y"]),
    /^member "a\.jpeg" at byte 1024: sample "a" has a second image$/,
  );
  await refused(
    await archive(["a.jpg", "x"], ["b.cls", "1"], ["c.cls", "1"]),
    /^member "a\.jpg" at byte 0: its sample has no label \(\.cls\), and 2 more samples are inc/,
  );
});

Deno.test("tarSamples refuses more incomplete samples than it may hold", async () => {
  const names = Array.from({ length: 1_025 }, (_, index) => [`${index}.cls`, "1"] as const);
  await refused(await archive(...names), /member "1024\.cls".*1024 samples before it wait/);
});

Deno.test("tarSamples refuses an archive without a sample", async () => {
  const wanted =
    /^it holds no sample: wanted images \(\.jpg, \.jpeg, \.png\) with labels \(\.cls\)$/;
  await refused(await archive(), wanted);
  await refused(await archive(["a.webp", "image"], ["a.txt", "caption"]), wanted);
});

Deno.test("tarSamples refuses an archive that is cut, wherever it is cut", async () => {
  const whole = await archive(["a.jpg", "x".repeat(700)], ["a.cls", "1"], ["b.jpg", "y"]);
  for (let length = 0; length < whole.length - 1_024; length += 64) {
    await assert.rejects(samplesOf(whole.slice(0, length)), ShardError, `cut at ${length}`);
  }
  await refused(
    whole.slice(0, 1_000),
    /member "a\.jpg" at byte 0: it is cut short after 488 of 700/,
  );
  await refused(whole.slice(0, 2_560), /cut short: it ends at byte 2560/);
});

Deno.test("tarSamples refuses a damaged header and says behind which member", async () => {
  const whole = await archive(["a.jpg", "x"], ["a.cls", "1"]);
  whole[1_024 + 10] = 0xff;
  await refused(whole, /^damaged or cut short at byte 1024, after "a\.jpg": it is no header of/);
  await refused(Uint8Array.from({ length: 2_048 }, () => 0x41), /^damaged .* at its start/);
});

Deno.test("tarSamples passes on what its source fails with", async () => {
  const whole = await archive(["a.jpg", "x"], ["a.cls", "1"]);
  function* failing(): Generator<Uint8Array> {
    yield whole.slice(0, 1_024);
    throw new Error("Cannot read: the disk is gone");
  }
  await assert.rejects(
    Array.fromAsync(tarSamples(failing())),
    /^ShardError: it cannot be read behind byte 1024: Cannot read: the disk is gone$/,
  );
});
