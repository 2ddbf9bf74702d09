/** Names and directories of a real mount. */
import { deepEqual, equal } from "node:assert/strict";
import { ERRNO } from "../cache/platform/errno.ts";
import { OPEN_FLAGS } from "../cache/platform/open_flags.ts";
import { succeed } from "./support/command.ts";
import { mountTest } from "./support/mounted.ts";
import { type Path, Posix, type ReadName, zeroEnded } from "./support/posix.ts";

const encoder = new TextEncoder();

/** Names that a program is likely to take apart, quote wrongly or decode. */
const ODD_NAMES: readonly string[] = [
  "with space",
  " leading and trailing ",
  "two\nlines",
  "tab\tand\\backslash",
  "quote'\"`$HOME",
  "-rf",
  "#hash?query%20&amp;=",
  "...",
  "\u00e9 composed",
  "e\u0301 decomposed",
  "日本語",
  "😀",
  "\u0001\u007f",
  "a".repeat(255),
  "é".repeat(127),
];

/** ISO 8859-1, a lone continuation byte, an overlong slash, and 255 bytes of no encoding. */
const INVALID_UTF8: readonly Uint8Array<ArrayBuffer>[] = [
  new Uint8Array([0x63, 0x61, 0x66, 0xe9]),
  new Uint8Array([0x80]),
  new Uint8Array([0xc0, 0xaf]),
  new Uint8Array(255).fill(0xff),
];

const ALL_NAMES = [...ODD_NAMES.map((name) => encoder.encode(name)), ...INVALID_UTF8];
const CROWD = 100_000;
const WALK = 3_000;

function pathOf(directory: string, name: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...encoder.encode(`${directory}/`), ...name]);
}

/** Creates an empty file; Deno's own calls know no names but UTF-8. */
async function create(posix: Posix, path: Path): Promise<void> {
  const fd = await posix.done("open", zeroEnded(path), OPEN_FLAGS.CREAT | OPEN_FLAGS.WRONLY, 0o644);
  await posix.done("close", fd);
}

async function namesIn(posix: Posix, path: string): Promise<readonly Uint8Array[]> {
  const fd = await posix.open(path, OPEN_FLAGS.DIRECTORY);
  const names = await posix.names(fd);
  await posix.done("close", fd);
  return names;
}

/** Sorted hexadecimal, which shows exactly what differs. */
function hex(names: readonly Uint8Array[]): readonly string[] {
  return names.map((name) => name.toHex()).sort();
}

const DOTS = [encoder.encode("."), encoder.encode("..")];

async function fillOddNames(source: string): Promise<void> {
  using posix = new Posix();
  for (const name of ALL_NAMES) await create(posix, pathOf(source, name));
}

mountTest("Odd names", { fill: fillOddNames }, async ({ data }, step) => {
  using posix = new Posix();
  await step("are listed byte by byte, each once", async () => {
    deepEqual(hex(await namesIn(posix, data)), hex([...ALL_NAMES, ...DOTS]));
  });
  await step("are found and opened", async () => {
    for (const name of ALL_NAMES) {
      const path = pathOf(data, name);
      equal((await posix.status(path)).type, "file", name.toHex());
      await posix.done("close", await posix.open(path));
    }
  });
  await step("of 256 bytes are too long, in whatever encoding", async () => {
    for (const name of ["a".repeat(256), "é".repeat(128)]) {
      equal(await posix.call("open", `${data}/${name}`, 0, 0), -ERRNO.ENAMETOOLONG);
    }
  });
  await step("that differ only in their Unicode form are different names", async () => {
    equal(await posix.call("access", `${data}/e\u0301 composed`, 0), -ERRNO.ENOENT);
    equal(await posix.call("access", `${data}/\u00e9 decomposed`, 0), -ERRNO.ENOENT);
  });
  await step("that do not exist are not found, below a file neither", async () => {
    equal(await posix.call("access", `${data}/nothing`, 0), -ERRNO.ENOENT);
    equal(await posix.call("access", `${data}/-rf/nothing`, 0), -ERRNO.ENOTDIR);
  });
});

async function fillCrowd(source: string): Promise<void> {
  const create = 'mkdir "$1" && cd "$1" && seq -f "$2%.0f" 0 "$3" | xargs touch';
  await succeed("sh", "-c", create, "sh", `${source}/crowd`, "member-", String(CROWD - 1));
  await succeed("sh", "-c", create, "sh", `${source}/walk`, "", String(WALK - 1));
}

mountTest("A large directory", { fill: fillCrowd }, async ({ data, place }, step) => {
  using posix = new Posix();
  const members = Array.from({ length: CROWD }, (_, index) => encoder.encode(`member-${index}`));
  const expected = hex([...members, ...DOTS]);
  await step(`lists its ${CROWD} entries completely and once each`, async () => {
    deepEqual(hex(await namesIn(posix, `${data}/crowd`)), expected);
  });
  await step("lists the same a second time, from the kernel's cache or not", async () => {
    deepEqual(hex(await namesIn(posix, `${data}/crowd`)), expected);
  });
  await step("comes back to the same name with telldir and seekdir", async () => {
    const directory = await posix.done("opendir", `${data}/walk`);
    const seen: ReadName[] = [];
    for (let next = await posix.nextName(directory); next !== null;) {
      seen.push(next);
      next = await posix.nextName(directory);
    }
    equal(new Set(seen.map(({ name }) => name)).size, WALK + 2);
    // Forwards and backwards, near and far.
    for (const index of [0, 2_999, 1, 1_500, 1_499, 2_998, 7, WALK]) {
      await posix.call("seekdir", directory, seen[index]?.after ?? -1);
      equal((await posix.nextName(directory))?.name, seen[index + 1]?.name, `behind ${index}`);
    }
    await posix.done("closedir", directory);
  });
  await step("keeps its positions while its source changes", async () => {
    const directory = await posix.done("opendir", `${data}/walk`);
    for (let index = 0; index < 100; index += 1) await posix.nextName(directory);
    const at = await posix.nextName(directory);
    const next = await posix.nextName(directory);
    await Deno.remove(`${place.source}/walk/${at?.name}`);
    await posix.call("seekdir", directory, at?.after ?? -1);
    deepEqual(await posix.nextName(directory), next);
    await posix.done("closedir", directory);
  });
});
