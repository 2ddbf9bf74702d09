import assert from "node:assert/strict";
import { FROM_STORE, type ListedName, Listing, type NamePage } from "./listing.ts";

const MODIFIED = { seconds: 0, nanoseconds: 0 };

function object(name: string): ListedName {
  const version = `v-${name}`;
  const entry = { sizeBytes: 1, modified: MODIFIED, version, etag: null, posix: null };
  return { name, kind: "object", entry: { kind: "object", name, ...entry } };
}

function directory(name: string): ListedName {
  const entry = { kind: "directory", name, modified: null, posix: null } as const;
  return { name, kind: "directory", entry };
}

/** A listing of `pages`, and the tokens it asked for. */
function listing(pages: readonly (readonly ListedName[])[], entriesMax = 1_000) {
  const asked: (string | null)[] = [];
  const load = (token: string | null): Promise<NamePage> => {
    asked.push(token);
    const index = Number(token ?? 0);
    const next = index + 1 < pages.length ? String(index + 1) : null;
    return Promise.resolve({ names: pages[index] ?? [], next, origin: FROM_STORE });
  };
  return { listing: new Listing(0, entriesMax, load), asked };
}

/** Loads everything and returns the names in their positions. */
async function readAll(from: Listing): Promise<string[]> {
  const names: string[] = [];
  for (let position = 0;;) {
    const listed = from.at(position);
    if (listed === null) return names;
    if (listed === undefined) {
      await from.loadTo(position);
      continue;
    }
    if (listed !== "gone") names.push(listed.name);
    position += 1;
  }
}

Deno.test("Listing knows nothing before its first page and everything after its last", async () => {
  const { listing: names, asked } = listing([[object("a")], [object("b")]]);
  assert.equal(names.at(0), undefined);
  assert.equal(names.find("a").kind, "unknown");
  await names.loadTo(0);
  assert.equal(names.find("a").kind, "found");
  assert.equal(names.find("b").kind, "unknown");
  assert.equal(names.at(1), undefined);
  await names.loadTo(1);
  assert.equal(names.find("missing").kind, "absent");
  assert.equal(names.at(2), null);
  assert.deepEqual(asked, [null, "1"]);
});

Deno.test("Listing goes on over pages without names", async () => {
  const { listing: names } = listing([[], [object("a")], [], [object("b")], []]);
  assert.deepEqual(await readAll(names), ["a", "b"]);
});

Deno.test("Listing shows a name once, though its store lists it on two pages", async () => {
  const { listing: names } = listing([[object("a"), object("b")], [directory("a"), object("c")]]);
  assert.deepEqual(await readAll(names), ["a", "b", "c"]);
  const [first] = [names.at(0)];
  assert.ok(first !== undefined && first !== null && first !== "gone");
  assert.equal(first.kind, "directory");
  const found = names.find("a");
  assert.ok(found.kind === "found");
  assert.equal(found.entry.kind, "directory");
});

Deno.test("Listing asks for a page once, however many wait for it", async () => {
  const { listing: names, asked } = listing([[object("a")], [object("b")]]);
  await Promise.all([names.loadTo(0), names.loadTo(0), names.loadTo(0)]);
  await names.loadTo(0);
  assert.deepEqual(asked, [null]);
});

Deno.test("Listing holds one page of a large directory and asks for others again", async () => {
  const pages = [[object("a"), object("b")], [object("c"), object("d")], [object("e")]];
  const { listing: names, asked } = listing(pages, 3);
  assert.deepEqual(await readAll(names), ["a", "b", "c", "d", "e"]);
  assert.equal(names.find("e").kind, "unknown");
  assert.equal(names.at(0), undefined);
  await names.loadTo(0);
  assert.deepEqual(asked, [null, "1", "2", null]);
  assert.equal(names.at(4), undefined);
  assert.deepEqual(await readAll(names), ["a", "b", "c", "d", "e"]);
});

Deno.test("Listing tries a page again after it could not be had", async () => {
  let fails = true;
  const names = new Listing(0, 10, () => {
    if (fails) return Promise.reject(new Error("Down"));
    return Promise.resolve({ names: [object("a")], next: null, origin: FROM_STORE });
  });
  await assert.rejects(Promise.all([names.loadTo(0), names.loadTo(0)]), /Down/);
  fails = false;
  assert.deepEqual(await readAll(names), ["a"]);
});

Deno.test("Listing without status of its names says that it does not know", async () => {
  const { listing: names } = listing([[{ name: "a", kind: "object", entry: null }]]);
  await names.loadTo(0);
  assert.equal(names.find("a").kind, "unknown");
  assert.equal(names.find("b").kind, "absent");
});
