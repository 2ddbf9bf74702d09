/** What a backend shows: entries, pages, names. */
import assert from "node:assert/strict";
import {
  bytesOf,
  entriesOf,
  failsWith,
  listAll,
  namesOf,
  never,
  put,
  read,
  withoutAccess,
} from "../support/backend_calls.ts";
import { type Case, PAGE_SIZE } from "./case.ts";

const AWKWARD_NAMES = [
  "with space",
  " leading and trailing ",
  "#hash",
  "question?mark",
  "percent%41",
  "100%",
  "plus+plus",
  "amp&ampersand=equals",
  "&amp;",
  "<tag>",
  "quote'quote\"quote",
  "new\nline",
  "tab\ttab",
  "ünïcödé",
  "日本語",
  "emoji😀",
  "e\u0301 decomposed",
  "007",
  "1e3",
  "true",
  ".hidden",
  "...",
  "dot.",
  "~tilde!(parentheses)*,;:@$",
  "x".repeat(200),
];

/** The cases, in the order in which they build on each other. */
export const LISTING_CASES: readonly Case[] = [
  ["has a root, which is an empty directory at first", [], async ({ backend }) => {
    assert.equal((await backend.stat("", never))?.kind, "directory");
    for (const page of await listAll(backend, "")) {
      assert.deepEqual(page.entries, []);
      assert.equal(page.unlistable, 0);
    }
  }],

  ["shows an object alike to put, stat and list", [], async ({ backend }) => {
    const before = Math.floor(Date.now() / 1000) - 2;
    const stored = await put(backend, "dir/file.txt", bytesOf("hello"));
    assert.equal(stored.kind, "object");
    assert.equal(stored.name, "file.txt");
    assert.equal(stored.sizeBytes, 5);
    assert.ok(stored.modified.seconds >= before && stored.modified.seconds < before + 600);
    assert.deepEqual(
      withoutAccess(await backend.stat("dir/file.txt", never)),
      withoutAccess(stored),
    );
    const [listed] = await entriesOf(backend, "dir");
    assert.deepEqual(withoutAccess(listed ?? null), withoutAccess(stored));
  }],

  ["lists the children of a directory and nothing deeper", [], async ({ backend }) => {
    for (const path of ["top", "d/one", "d/two", "d/sub/three", "d/sub/deep/four", "dd/five"]) {
      await put(backend, path, bytesOf(path));
    }
    assert.deepEqual(await namesOf(backend, ""), ["directory d", "directory dd", "object top"]);
    assert.deepEqual(await namesOf(backend, "d"), ["object one", "directory sub", "object two"]);
    assert.deepEqual(await namesOf(backend, "d/sub"), ["directory deep", "object three"]);
    assert.equal((await backend.stat("d", never))?.kind, "directory");
    assert.equal((await backend.stat("d/sub", never))?.name, "sub");
  }],

  ["knows nothing of what is not there", [], async ({ backend }) => {
    await put(backend, "present/file", bytesOf("x"));
    assert.equal(await backend.stat("absent", never), null);
    assert.equal(await backend.stat("pres", never), null);
    assert.equal(await backend.stat("present/absent", never), null);
    assert.equal(await backend.stat("present/file/below", never), null);
    assert.deepEqual(await namesOf(backend, "absent"), []);
  }],

  ["lists a directory larger than a page completely and once", [], async ({ backend }) => {
    const expected: string[] = [];
    for (let index = 0; index < 3 * PAGE_SIZE + 2; index += 1) {
      const number = String(index).padStart(3, "0");
      if (index % 4 === 3) {
        await put(backend, `big/sub${number}/leaf`, bytesOf("leaf"));
        expected.push(`directory sub${number}`);
      } else {
        await put(backend, `big/file${number}`, bytesOf(number));
        expected.push(`object file${number}`);
      }
    }
    assert.deepEqual((await namesOf(backend, "big")).sort(), expected.sort());
  }],

  ["hands out a large directory in pages", ["directories_are_keys"], async ({ backend }) => {
    for (let index = 0; index < 2 * PAGE_SIZE; index += 1) {
      await put(backend, `file${index}`, bytesOf("x"));
    }
    const pages = await listAll(backend, "");
    assert.ok(pages.length >= 2);
    for (const page of pages) assert.ok(page.entries.length <= PAGE_SIZE);
  }],

  ["keeps awkward names apart", [], async ({ backend }) => {
    const versions = new Map<string, string>();
    for (const name of AWKWARD_NAMES) {
      versions.set(name, (await put(backend, `odd ?#%/${name}`, bytesOf(name))).version);
    }
    const listed = (await entriesOf(backend, "odd ?#%")).map(({ name }) => name);
    assert.deepEqual(listed.sort(), [...AWKWARD_NAMES].sort());
    for (const [name, version] of versions) {
      const path = `odd ?#%/${name}`;
      assert.equal((await backend.stat(path, never))?.name, name);
      const length = bytesOf(name).length;
      assert.deepEqual(await read(backend, path, version, 0, length), bytesOf(name));
    }
    await backend.remove("odd ?#%/percent%41", never);
    assert.equal(await backend.stat("odd ?#%/percent%41", never), null);
  }],

  [
    "shows a directory where there is an object of the same name too",
    ["object_beside_directory"],
    async ({ backend }) => {
      const { version } = await put(backend, "both", bytesOf("object"));
      await put(backend, "both/child", bytesOf("child"));
      assert.equal((await backend.stat("both", never))?.kind, "directory");
      assert.deepEqual(await namesOf(backend, ""), ["directory both"]);
      assert.deepEqual(await namesOf(backend, "both"), ["object child"]);
      assert.deepEqual(await read(backend, "both", version, 0, 6), bytesOf("object"));
    },
  ],

  ["takes a placeholder for its directory", ["placeholders"], async (fixture) => {
    const { backend } = fixture;
    await fixture.seed("empty/", new Uint8Array(0));
    await fixture.seed("full/", new Uint8Array(0));
    await fixture.seed("full/file", bytesOf("x"));
    assert.deepEqual(await namesOf(backend, ""), ["directory empty", "directory full"]);
    assert.deepEqual(await namesOf(backend, "empty"), []);
    assert.deepEqual(await namesOf(backend, "full"), ["object file"]);
    assert.equal((await backend.stat("empty", never))?.kind, "directory");
  }],

  ["leaves out and counts what no file system can show", ["arbitrary_keys"], async (fixture) => {
    const { backend } = fixture;
    await fixture.seed("d/shown", bytesOf("x"));
    await fixture.seed("d//slashes", bytesOf("x"));
    await fixture.seed(`d/${"y".repeat(256)}`, bytesOf("x"));
    await fixture.seed(`d/${"z".repeat(256)}/below`, bytesOf("x"));
    const pages = await listAll(backend, "d");
    assert.deepEqual(pages.flatMap((page) => page.entries.map(({ name }) => name)), ["shown"]);
    assert.equal(pages.reduce((sum, page) => sum + page.unlistable, 0), 3);
  }],

  ["has nothing at names that are not Unicode", ["unicode_only"], async ({ backend }) => {
    assert.equal(await backend.stat("\udcff", never), null);
    assert.deepEqual(await namesOf(backend, "\udcff"), []);
    await failsWith("invalid", put(backend, "\udcff", bytesOf("x")));
    await backend.remove("\udcff", never);
  }],
];
