/**
 * One suite for every provider: what `cache/backend/backend.ts` obliges a backend to. What a
 * provider cannot do is declared, with its reason, and shows as an ignored test.
 */
import assert from "node:assert/strict";
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type Content,
  type Entry,
  type ListPage,
  type ObjectEntry,
} from "../cache/backend/backend.ts";

/** What not every provider can do. */
export type Capability =
  /** Keys `a` and `a/b` at once. */
  | "object_beside_directory"
  /** Keys that end in a slash or have empty segments. */
  | "arbitrary_keys"
  /** Directories exist without anything in them only on file systems. */
  | "directories_are_keys"
  /** Names that are no Unicode do not exist. */
  | "unicode_only"
  /** Reads deliver what they have before all of it is there. */
  | "progressive_reads"
  /** A put that is shorter or longer than announced is refused. */
  | "checks_length";

/** Entries of a page in all fixtures, so that a few objects make several pages. */
export const PAGE_SIZE = 5;

/** An empty backend of one provider. */
export interface Fixture extends AsyncDisposable {
  readonly backend: Backend;
  /** Stores an object past the backend, under any key. */
  seed(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** A provider with what the suite needs to know of it. */
export interface Conformer {
  readonly name: string;
  /** Capabilities it lacks, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Capability, string>>>;
  open(): Promise<Fixture>;
}

type Case = (fixture: Fixture) => Promise<void>;

/** Registers the suite for `conformer`. */
export function testConformance(conformer: Conformer): void {
  for (const [sentence, needs, run] of CASES) {
    const missing = needs.flatMap((need) => conformer.lacks[need] ?? []);
    Deno.test({
      name: `${conformer.name} ${sentence}` + missing.map((why) => ` [cannot: ${why}]`).join(""),
      ignore: missing.length > 0,
      async fn() {
        await using fixture = await conformer.open();
        await run(fixture);
      },
    });
  }
}

const never = new AbortController().signal;

/** Content made of `bytes`, handed out in `pieces` of about equal size. */
export function contentOf(bytes: Uint8Array<ArrayBuffer>, pieces = 3): Content {
  const pieceBytes = Math.max(1, Math.ceil(bytes.length / pieces));
  return {
    sizeBytes: bytes.length,
    async *open() {
      for (let start = 0; start < bytes.length; start += pieceBytes) {
        yield await Promise.resolve(bytes.subarray(start, start + pieceBytes));
      }
    },
  };
}

/** `text` as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes in which every offset looks different from its neighbours, and every `seed` from others. */
export function patternOf(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + seed * 97) % 251;
  return bytes;
}

/** Stores `bytes` at `path` through the backend. */
export function put(
  backend: Backend,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ObjectEntry> {
  return backend.put(path, contentOf(bytes), never);
}

/** Reads a range of one version. */
export async function read(
  backend: Backend,
  path: string,
  version: string,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const target = new Uint8Array(length);
  await backend.read({ path, version, offset, target, onFilled: () => {} }, never);
  return target;
}

/** All pages of a directory. */
export async function listAll(backend: Backend, directory: string): Promise<ListPage[]> {
  const pages: ListPage[] = [];
  let token: string | null = null;
  do {
    const page: ListPage = await backend.list(directory, token, never);
    pages.push(page);
    token = page.next;
    assert.ok(pages.length < 1000, "a listing ends");
  } while (token !== null);
  return pages;
}

async function entriesOf(backend: Backend, directory: string): Promise<Entry[]> {
  const pages = await listAll(backend, directory);
  return pages.flatMap((page) => page.entries).sort((a, b) => a.name < b.name ? -1 : 1);
}

async function namesOf(backend: Backend, directory: string): Promise<string[]> {
  return (await entriesOf(backend, directory)).map(({ kind, name }) => `${kind} ${name}`);
}

/** Asserts that `operation` fails with `code`, and returns the error. */
export async function failsWith(
  code: BackendErrorCode,
  operation: Promise<unknown>,
): Promise<BackendError> {
  const error: unknown = await operation.then(() => null, (reason: unknown) => reason);
  assert.ok(error instanceof BackendError, `expected ${code}, got ${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

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

const CASES: readonly [sentence: string, needs: readonly Capability[], run: Case][] = [
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

  ["reads any range of an object", [], async ({ backend }) => {
    const bytes = patternOf(100_000, 1);
    const { version } = await put(backend, "object", bytes);
    for (const [offset, length] of [[0, 100_000], [0, 1], [1, 65_536], [99_999, 1], [777, 4096]]) {
      assert.ok(offset !== undefined && length !== undefined);
      const got = await read(backend, "object", version, offset, length);
      assert.deepEqual(got, bytes.subarray(offset, offset + length));
    }
  }],

  ["announces filled bytes in order and up to the end", [], async ({ backend }) => {
    const bytes = patternOf(1_000_000, 2);
    const { version } = await put(backend, "object", bytes);
    const target = new Uint8Array(900_000);
    const announced: number[] = [0];
    const onFilled = (filled: number) => {
      assert.ok(filled > (announced.at(-1) ?? 0));
      assert.deepEqual(target.subarray(0, filled), bytes.subarray(50_000, 50_000 + filled));
      announced.push(filled);
    };
    await backend.read({ path: "object", version, offset: 50_000, target, onFilled }, never);
    assert.equal(announced.at(-1), target.length);
  }],

  ["serves many reads at once", [], async ({ backend }) => {
    const bytes = patternOf(320_000, 3);
    const { version } = await put(backend, "object", bytes);
    const parts = await Promise.all(
      Array.from(
        { length: 32 },
        (_, part) => read(backend, "object", version, part * 10_000, 10_000),
      ),
    );
    parts.forEach((part, index) =>
      assert.deepEqual(part, bytes.subarray(index * 10_000, (index + 1) * 10_000))
    );
  }],

  ["stores and reads an empty object", [], async ({ backend }) => {
    const stored = await put(backend, "empty", new Uint8Array(0));
    assert.equal(stored.sizeBytes, 0);
    assert.deepEqual(withoutAccess(await backend.stat("empty", never)), withoutAccess(stored));
    assert.deepEqual(await read(backend, "empty", stored.version, 0, 0), new Uint8Array(0));
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

  ["takes a placeholder for its directory", ["arbitrary_keys"], async (fixture) => {
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

  ["refuses to read a version that was overwritten", [], async ({ backend }) => {
    const old = await put(backend, "object", patternOf(50_000, 4));
    const now = await put(backend, "object", patternOf(50_000, 5));
    assert.notEqual(now.version, old.version);
    await failsWith("changed", read(backend, "object", old.version, 0, 50_000));
    await failsWith("changed", read(backend, "object", old.version, 49_999, 1));
    assert.deepEqual(
      await read(backend, "object", now.version, 0, 50_000),
      patternOf(50_000, 5),
    );
  }],

  ["never mixes versions when one is overwritten during a read", [], async ({ backend }) => {
    const bytes = patternOf(8_000_000, 6);
    const { version } = await put(backend, "object", bytes);
    const target = new Uint8Array(bytes.length);
    let announced = 0;
    let overwriting: Promise<unknown> | null = null;
    const reading = backend.read({
      path: "object",
      version,
      offset: 0,
      target,
      onFilled: (filled) => {
        announced = filled;
        overwriting ??= put(backend, "object", patternOf(8_000_000, 7));
      },
    }, never);
    const failure: unknown = await reading.then(() => null, (error: unknown) => error);
    await overwriting;
    assert.deepEqual(target.subarray(0, announced), bytes.subarray(0, announced));
    if (failure === null) assert.equal(announced, bytes.length);
    else assert.ok(failure instanceof BackendError && failure.code === "changed");
    await failsWith("changed", read(backend, "object", version, 0, 10));
  }],

  ["refuses to read a version that was deleted", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("short-lived"));
    await backend.remove("object", never);
    await failsWith("changed", read(backend, "object", version, 0, 5));
    assert.equal(await backend.stat("object", never), null);
  }],

  ["removes what is there, and what is not", [], async ({ backend }) => {
    await put(backend, "d/object", bytesOf("x"));
    await put(backend, "d/other", bytesOf("x"));
    await backend.remove("d/object", never);
    await backend.remove("d/object", never);
    assert.deepEqual(await namesOf(backend, "d"), ["object other"]);
  }],

  ["copies an object", [], async ({ backend }) => {
    const bytes = patternOf(300_000, 8);
    await put(backend, "from here", bytes);
    const copy = await backend.copy("from here", "to/there #1", never);
    assert.equal(copy.name, "there #1");
    assert.equal(copy.sizeBytes, bytes.length);
    assert.deepEqual(await read(backend, "to/there #1", copy.version, 0, bytes.length), bytes);
    assert.equal((await backend.stat("from here", never))?.kind, "object");
    await failsWith("not_found", backend.copy("absent", "anything", never));
  }],

  ["refuses content of another length than announced", ["checks_length"], async ({ backend }) => {
    for (const announced of [4, 6]) {
      const content = { ...contentOf(bytesOf("12345")), sizeBytes: announced };
      await failsWith("invalid", backend.put("object", content, never));
    }
    assert.equal(await backend.stat("object", never), null);
  }],

  ["stores content of several upload blocks", [], async ({ backend }) => {
    const bytes = patternOf(17 * 1024 * 1024, 9);
    const stored = await backend.put("large", contentOf(bytes, 100), never);
    assert.equal(stored.sizeBytes, bytes.length);
    const tail = await read(backend, "large", stored.version, bytes.length - 1_000_000, 1_000_000);
    assert.deepEqual(tail, bytes.subarray(bytes.length - 1_000_000));
  }],

  ["gives up with the reason of its signal", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("x"));
    const reason = new Error("No longer wanted");
    const aborted = AbortSignal.abort(reason);
    const target = new Uint8Array(1);
    const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
    await assert.rejects(backend.list("", null, aborted), reason);
    await assert.rejects(backend.stat("object", aborted), reason);
    await assert.rejects(backend.read(range, aborted), reason);
    await assert.rejects(backend.put("new", contentOf(bytesOf("x")), aborted), reason);
  }],

  ["stops a read in the middle when its signal aborts", ["progressive_reads"], async (fixture) => {
    const { backend } = fixture;
    const { version } = await put(backend, "object", patternOf(16_000_000, 10));
    const controller = new AbortController();
    const reason = new Error("Enough");
    const target = new Uint8Array(16_000_000);
    let announced = 0;
    const onFilled = (filled: number) => {
      announced = filled;
      controller.abort(reason);
    };
    await assert.rejects(
      backend.read({ path: "object", version, offset: 0, target, onFilled }, controller.signal),
      reason,
    );
    assert.ok(announced < target.length);
  }],

  ["leaves nothing behind on the signals of its callers", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("12345"));
    const signal = new CountingSignal();
    const target = new Uint8Array(5);
    await backend.list("", null, signal.signal);
    await backend.stat("object", signal.signal);
    const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
    await backend.read(range, signal.signal);
    await backend.put("other", contentOf(bytesOf("x")), signal.signal);
    await backend.copy("object", "copy", signal.signal);
    await backend.remove("copy", signal.signal);
    assert.equal(signal.listeners, 0);
  }],
];

/** A signal that counts who listens to it. */
class CountingSignal {
  readonly signal = new AbortController().signal;
  listeners = 0;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      this.listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      this.listeners -= 1;
      remove(...parameters);
    };
  }
}

/** `entry` without the access time, which reading changes on file systems. */
function withoutAccess(entry: Entry | null): unknown {
  if (entry === null || entry.posix === null) return entry;
  return { ...entry, posix: { ...entry.posix, accessed: null } };
}
