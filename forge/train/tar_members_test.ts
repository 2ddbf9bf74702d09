import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { Xoshiro128 } from "../../cache/platform/random.ts";
import { ShardError, tarMembers } from "./tar_members.ts";

/** What an archive holds: names with digests of the bytes; of what is no image or label, sizes. */
type Contents = readonly (readonly [string, string])[];

const LONG = "d".repeat(90);
/** Files of every kind that names make a difference to. */
const FILES: readonly string[] = [
  "a.jpg",
  "a.cls",
  "empty.jpg",
  "größe 1.PNG",
  `${LONG}/${LONG}/exactly-in-two-fields.jpg`,
  `${LONG}/${LONG}/${LONG}/${"n".repeat(150)}.jpg`,
  `${"n".repeat(99)}.jpg`,
  "notes.txt",
];

/** Runs `body` with archives of the same files in every format that GNU tar writes. */
async function withArchives(
  body: (format: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-tar-" });
  try {
    await Deno.mkdir(`${directory}/files`);
    const random = Xoshiro128.seeded(1, 0);
    for (const name of FILES) {
      const path = `${directory}/files/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      const length = name.startsWith("empty") ? 0 : random.below(3_000) + 1;
      await Deno.writeFile(path, Uint8Array.from({ length }, () => random.below(256)));
    }
    await Deno.symlink("a.jpg", `${directory}/files/link.jpg`);
    await Deno.link(`${directory}/files/a.jpg`, `${directory}/files/twin.jpg`);
    for (const format of ["v7", "ustar", "gnu", "oldgnu", "pax"]) {
      const archive = `${directory}/${format}.tar`;
      // The older formats refuse names that they cannot hold, and go on.
      await new Deno.Command("tar", {
        args: [
          "-C",
          `${directory}/files`,
          `--format=${format}`,
          "--sort=name",
          "-cf",
          archive,
          ".",
        ],
        stderr: "null",
      }).output();
      await body(format, await Deno.readFile(archive));
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function* pieces(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}

function contentsOf(bytes: Uint8Array, pieceBytes: number): Contents {
  const found: [string, string][] = [];
  for (const { member, read } of tarMembers(pieces(bytes, pieceBytes))) {
    const isHalf = member.part !== "other";
    found.push([member.name, isHalf ? digest(read()) : String(member.sizeBytes)]);
  }
  return found;
}

/** The same by the library that writes our archives. */
async function referenceOf(bytes: Uint8Array): Promise<Contents> {
  // The first is for the original format; its types do not know it.
  const settings = { allowUnknownFormat: true, highWaterMark: 65_536 };
  const archive = extract(settings);
  Readable.from([Buffer.from(bytes)]).pipe(archive);
  const found: [string, string][] = [];
  for await (const entry of archive) {
    const parts: Uint8Array[] = [];
    for await (const part of entry) if (part instanceof Uint8Array) parts.push(part);
    const { name, type, size } = entry.header;
    const isHalf = type === "file" && /^[^.]*\.(jpg|png|cls)$/i.test(name.replace(/^.*\//, ""));
    found.push([name, isHalf ? digest(Buffer.concat(parts)) : String(type === "file" ? size : 0)]);
  }
  return found;
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("tarMembers finds in every format of GNU tar what a library finds", async () => {
  const counts: Record<string, number> = {};
  await withArchives(async (format, bytes) => {
    const expected = await referenceOf(bytes);
    for (const length of [7, 512, 1_000, 1 << 20]) {
      assert.deepEqual(contentsOf(bytes, length), expected, `${format} in pieces of ${length}`);
    }
    counts[format] = expected.length;
  });
  // Both read all that is there: the newer formats hold every name.
  assert.ok((counts["pax"] ?? 0) >= FILES.length + 3, JSON.stringify(counts));
  assert.equal(counts["gnu"], counts["pax"]);
});

Deno.test("tarMembers reads archives that were put one behind the other", async () => {
  await withArchives((_, bytes) => {
    const twice = new Uint8Array(2 * bytes.length);
    twice.set(bytes);
    twice.set(bytes, bytes.length);
    const once = contentsOf(bytes, 4_096);
    assert.deepEqual(contentsOf(twice, 4_096), [...once, ...once]);
    return Promise.resolve();
  });
});

Deno.test("tarMembers says of every cut that it is one, and fails in no other way", async () => {
  const random = Xoshiro128.seeded(2, 0);
  await withArchives((format, bytes) => {
    // GNU tar fills the last ten kilobytes with zeros, of which one block is enough.
    const endBytes = bytes.findLastIndex((byte) => byte !== 0) + 1;
    for (let run = 0; run < 200; run += 1) {
      const cut = random.below(endBytes);
      const what = `${format}, byte ${cut}`;
      assert.throws(() => contentsOf(bytes.subarray(0, cut), 4_096), ShardError, what);
      const damaged = bytes.slice();
      damaged[cut] = (damaged[cut] ?? 0) ^ (1 << random.below(8));
      try {
        contentsOf(damaged, 4_096);
      } catch (error) {
        // What files and padding hold has no checksum, so that not all damage shows.
        assert.ok(error instanceof ShardError, `${what}: ${error}`);
      }
    }
    return Promise.resolve();
  });
});

Deno.test("tarMembers lets go of its source when nobody reads on", () => {
  let isOpen = true;
  function* chunks(): Generator<Uint8Array> {
    try {
      while (true) yield new Uint8Array(512);
    } finally {
      isOpen = false;
    }
  }
  const whole = Uint8Array.from(header("a.jpg", 3));
  function* archive(): Generator<Uint8Array> {
    yield whole;
    yield* chunks();
  }
  for (const { member } of tarMembers(archive())) {
    assert.equal(member.sizeBytes, 3);
    break;
  }
  assert.ok(isOpen, "Nothing was read of it yet");
  const members = tarMembers(archive());
  const first = members.next().value;
  first?.read();
  members.return(undefined);
  assert.equal(isOpen, false);
});

/** A header of the original format. */
function header(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(size.toString(8).padStart(11, "0"), 124);
  block.write(" ".repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

Deno.test("tarMembers reads sizes in binary, as archives of large files have them", () => {
  const block = Buffer.from(header("a.jpg", 0));
  block.fill(0, 124, 136);
  block[124] = 0x80;
  block.writeUInt32BE(700, 132);
  block.write(" ".repeat(8), 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const [open] = tarMembers([block, new Uint8Array(1_024 + 1_024)]);
  assert.equal(open?.member.sizeBytes, 700);
});
