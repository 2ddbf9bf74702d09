import { deepEqual, equal } from "node:assert/strict";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { tarOf } from "../../tests/support/tar_shards.ts";
import { checkShard, type ShardReport } from "./shard_check.ts";
import { SyntheticJpegs } from "./synthetic_jpeg.ts";

type ArchiveMember = readonly [name: string, body: string | Uint8Array];

const IMAGE = new SyntheticJpegs({ width: 24, height: 16, classes: 2, meanBytes: 600 })
  .draw(0, Xoshiro128.seeded(1, 0));
/** Bytes of a member with an image, and of one with a label. */
const IMAGE_BYTES = 512 + Math.ceil(IMAGE.length / 512) * 512;
const LABEL_BYTES = 1_024;

function sample(key: string, label: string): ArchiveMember[] {
  return [[`${key}.jpg`, IMAGE], [`${key}.cls`, label]];
}

async function reportOf(classes: number | null, ...members: ArchiveMember[]): Promise<ShardReport> {
  return await checkShard([await tarOf(members)], classes);
}

async function messagesOf(...members: ArchiveMember[]): Promise<readonly string[]> {
  return (await reportOf(10, ...members)).problems.map(({ message }) => message);
}

Deno.test("checkShard tells what a sound shard holds", async () => {
  const report = await reportOf(
    null,
    ...sample("a", "3"),
    ["a.json", "{}"],
    ...sample("d/b", "3\n"),
    ...sample("c", "0"),
  );
  deepEqual(report, {
    samples: [
      { key: "a", offsetBytes: IMAGE_BYTES },
      { key: "d/b", offsetBytes: 2 * IMAGE_BYTES + 2 * LABEL_BYTES },
      { key: "c", offsetBytes: 3 * IMAGE_BYTES + 3 * LABEL_BYTES },
    ],
    labels: new Map([[3, 2], [0, 1]]),
    images: { widthMin: 24, widthMax: 24, heightMin: 16, heightMax: 16 },
    problems: [],
    problemCount: 0,
  });
});

Deno.test("checkShard goes on behind a fault and tells each one once", async () => {
  const report = await reportOf(
    10,
    ["a.jpg", ""],
    ["a.cls", "1"],
    ["b.jpg", "<html>"],
    ["b.cls", "1"],
    ["c.jpg", IMAGE.subarray(0, 500)],
    ["c.cls", "1"],
    ["d.jpg", IMAGE],
    ["d.cls", "cat"],
    ["e.jpg", IMAGE],
    ["e.cls", "10"],
    ["f.jpg", IMAGE],
    ["f.cls", "-1"],
    ["g.jpg", IMAGE],
    ["g.png", IMAGE],
    ["g.cls", "1"],
    ["h.jpg", IMAGE],
    ["i.cls", "1"],
    ...sample("z", "9"),
  );
  deepEqual(
    report.problems.map(({ message }) => message.replace(/ at byte \d+/, "")),
    [
      'member "a.jpg": the image is empty',
      'member "b.jpg": the image is neither JPEG nor PNG: it begins with 3c68746d',
      'member "c.jpg": the JPEG is cut short: it has no mark of its end',
      'member "d.cls": wanted a whole number, found "cat"',
      'member "e.cls": wanted a label below 10, found 10',
      'member "f.cls": wanted a label from 0 on, found -1',
      'member "g.png": sample "g" has a second image',
      'member "h.jpg": its sample has no label (.cls)',
      'member "i.cls": its sample has no image (.jpg, .jpeg, .png)',
    ],
  );
  equal(report.problemCount, 9);
  equal(report.problems[1]?.offsetBytes, 512 + LABEL_BYTES);
  deepEqual(report.samples.map(({ key }) => key), ["g", "z"]);
});

Deno.test("checkShard finds fault with a shard that holds no sample", async () => {
  const message = "it holds no sample: wanted images (.jpg, .jpeg, .png) with labels (.cls)";
  deepEqual(await messagesOf(), [message]);
  deepEqual(await messagesOf(["a.webp", "image"], ["a.txt", "caption"]), [message]);
});

Deno.test("checkShard says where an archive is cut or damaged, and what was sound", async () => {
  const whole = await tarOf([...sample("a", "1"), ...sample("b", "1")]);
  const second = IMAGE_BYTES + LABEL_BYTES;
  const cut = await checkShard([whole.subarray(0, second + 700)], 10);
  equal(cut.problemCount, 1);
  const place = `member "b.jpg" at byte ${second}: it is cut short after`;
  equal(cut.problems[0]?.message.startsWith(place), true, cut.problems[0]?.message);
  deepEqual(cut.samples.map(({ key }) => key), ["a"]);
  const between = await checkShard([whole.subarray(0, second)], 10);
  equal(between.problems[0]?.message.startsWith(`cut short: it ends at byte ${second}`), true);
  const damaged = whole.slice();
  damaged[second + 10] = 0xff;
  const { problems } = await checkShard([damaged], 10);
  deepEqual(problems.map(({ offsetBytes }) => offsetBytes), [second]);
  equal((await checkShard([], 10)).problemCount, 1);
});

Deno.test("checkShard counts what it does not tell one by one", async () => {
  const members = Array.from({ length: 150 }, (_, index): ArchiveMember => [`${index}.cls`, "x"]);
  const report = await reportOf(10, ...members);
  deepEqual([report.problems.length, report.problemCount], [100, 150]);
});

Deno.test("checkShard keeps to the number of samples that may wait for a half", async () => {
  const labels = Array.from({ length: 1_026 }, (_, index): ArchiveMember => [`${index}.cls`, "1"]);
  const [first, second] = await messagesOf(...labels);
  equal(/"1024\.cls".*1024 samples before it wait/.test(first ?? ""), true, first);
  equal(/"1025\.cls".*1024 samples before it wait/.test(second ?? ""), true, second);
});

Deno.test("checkShard passes over a member too large for an image without keeping it", async () => {
  const whole = await tarOf([["a.jpg", "x"], ...sample("b", "1")]);
  // The size that the header gives, in octal, and the checksum that belongs to it.
  const header = whole.slice(0, 512);
  header.set(new TextEncoder().encode("00400000001\0"), 124);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  function* chunks() {
    yield header;
    for (let index = 0; index < 64; index += 1) yield new Uint8Array(1024 * 1024);
    yield new Uint8Array(512);
    yield whole.subarray(LABEL_BYTES);
  }
  const { problems, samples } = await checkShard(chunks(), 10);
  deepEqual(problems.map(({ message }) => message), [
    'member "a.jpg" at byte 0: it holds 67108865 bytes, too many for a sample',
  ]);
  deepEqual(samples.map(({ key }) => key), ["b"]);
});
