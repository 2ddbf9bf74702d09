import assert from "node:assert/strict";
import { FileSystemFixture, SETTINGS } from "../../tests/support/file_system.ts";
import { RecordsBuffer } from "../fuse/encode.ts";
import { ROOT_NODE } from "../fuse/ids.ts";

const EIO = 5;
const ENOTDIR = 20;
const DIRECTORY = 0o040000;
const FILE = 0o100000;
const never = new AbortController().signal;

/** `count` names that sort in the order of their numbers. */
function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${String(index).padStart(3, "0")}`);
}

/** A file system with `count` objects, and their directory open. */
async function listed(count: number, settings = SETTINGS) {
  const fixture = new FileSystemFixture(settings);
  fixture.seed(...names(count));
  const { node } = await fixture.find("data");
  return { fixture, node, handle: await fixture.open(node, "opendir") };
}

Deno.test("READDIR begins with . and .., which the kernel counts no lookup for", async () => {
  const { fixture, handle } = await listed(0);
  const records = await fixture.readDirectory(handle, 0);
  assert(typeof records !== "number");
  const root = await fixture.find("data");
  assert.deepEqual(records.map(({ name, node, type }) => [name, node, type]), [
    [".", null, DIRECTORY],
    ["..", null, DIRECTORY],
  ]);
  assert.equal(records[0]?.inode, root.attributes.inode);
  assert.equal(records[1]?.inode, ROOT_NODE);
  assert.deepEqual(await fixture.readDirectory(handle, 2), []);
});

Deno.test("the first answer waits for names, because . and .. alone would waste it", async () => {
  const { fixture, handle } = await listed(3);
  const records = await fixture.readDirectory(handle, 0);
  assert(typeof records !== "number");
  assert.deepEqual(records.map(({ name }) => name), [".", "..", ...names(3)]);
});

Deno.test("READDIRPLUS counts a lookup per name, and FORGET takes all back", async () => {
  const { fixture, handle } = await listed(3);
  const records = await fixture.readWhole(handle);
  assert.equal(fixture.fs.nodes, 4);
  for (const { node } of records) assert.equal(fixture.lookups(node ?? ROOT_NODE), 1);
  await fixture.readWhole(handle);
  for (const { node } of records) assert.equal(fixture.lookups(node ?? ROOT_NODE), 2);
  fixture.forgetAll();
});

Deno.test("READDIRPLUS that the kernel did not take leaves no node behind", async () => {
  const { fixture, handle } = await listed(3);
  const records = new RecordsBuffer(4096, true);
  const reply = await fixture.send({ op: "readdir", handle, cookie: 2, records });
  assert(reply.kind === "records");
  assert.equal(fixture.fs.nodes, 4);
  reply.withdraw();
  assert.equal(fixture.fs.nodes, 1);
});

Deno.test("READDIR shows names, types and inode numbers and counts nothing", async () => {
  const { fixture, node, handle } = await listed(1);
  fixture.seed("train/a");
  const records = await fixture.readWhole(handle, 0, "plain");
  assert.equal(fixture.fs.nodes, 1);
  const shown = records.map(({ name, type, inode }) => [name, type, inode]);
  const file = await fixture.find("data/n000");
  const directory = await fixture.find("data/train");
  assert.deepEqual(shown, [
    ["n000", FILE, file.attributes.inode],
    ["train", DIRECTORY, directory.attributes.inode],
  ]);
  assert.equal(fixture.lookups(node), 3);
});

Deno.test("a directory costs the pages of its listing and no question about any name", async () => {
  const { fixture, node, handle } = await listed(10);
  const records = await fixture.readWhole(handle);
  assert.deepEqual(records.map(({ name }) => name), names(10));
  for (const { name } of records) await fixture.lookup(node, name);
  assert.equal(fixture.calls("list"), 3); // pages of 4
  assert.equal(fixture.calls("stat"), 0);
});

Deno.test("callers that read a directory at once share its pages", async () => {
  const { fixture, node } = await listed(10);
  const read = await Promise.all(Array.from({ length: 8 }, () => fixture.names(node)));
  for (const found of read) assert.deepEqual(found, names(10));
  assert.equal(fixture.calls("list"), 3);
});

Deno.test("READDIR shows a page once it is there, and asks for no more than it needs", async () => {
  const { fixture, handle } = await listed(10);
  const first = await fixture.readDirectory(handle, 2);
  assert(typeof first !== "number");
  assert.deepEqual(first.map(({ name }) => name), names(4));
  assert.equal(fixture.calls("list"), 1);
});

Deno.test("READDIR goes on from any position, back and ahead", async () => {
  const { fixture, handle } = await listed(10);
  const ahead = await fixture.readWhole(handle, 9);
  assert.deepEqual(ahead.map(({ name }) => name), names(10).slice(7));
  for (const { cookie, name } of await fixture.readWhole(handle)) {
    const rest = await fixture.readWhole(handle, cookie);
    assert.deepEqual(rest.map((record) => record.name), names(10).filter((other) => other > name));
  }
  assert.equal(fixture.calls("list"), 3);
});

Deno.test("READDIR fills small buffers with whole records only", async () => {
  const { fixture, handle } = await listed(3);
  const shown: string[] = [];
  for (let cookie = 2;;) {
    const read = await fixture.readDirectory(handle, cookie, "plus", 200);
    assert(typeof read !== "number");
    if (read.length === 0) break;
    assert.equal(read.length, 1);
    shown.push(...read.map(({ name }) => name));
    cookie = read[0]?.cookie ?? 0;
  }
  assert.deepEqual(shown, names(3));
  assert.equal(fixture.fs.nodes, 4);
});

Deno.test("an open directory keeps its listing; the next opening sees changes", async () => {
  const { fixture, node, handle } = await listed(6);
  await fixture.readDirectory(handle, 2);
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  await fixture.store().memory.remove("n000", never);
  fixture.seed("n0001");
  assert.deepEqual(await fixture.names(node), ["n0001", ...names(6).slice(1)]);
  const kept = await fixture.readWhole(handle);
  assert.deepEqual(kept.map(({ name }) => name), names(6));
});

Deno.test("an open directory's old listing tells nothing that is believed longer", async () => {
  const { fixture, node, handle } = await listed(1);
  await fixture.readWhole(handle);
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  fixture.seed("n000");
  await fixture.names(node);
  const [old] = await fixture.readWhole(handle);
  const current = await fixture.find("data/n000");
  assert.notEqual(old?.node, current.node);
  assert.equal(old?.entryValidSeconds, 0);
});

Deno.test("listings are believed for their time, and then asked for again", async () => {
  const { fixture, node } = await listed(3);
  await fixture.names(node);
  await fixture.clock.advance(SETTINGS.staleTtlMs - 1);
  await fixture.names(node);
  assert.equal(fixture.calls("list"), 1);
  await fixture.clock.advance(1);
  await fixture.names(node);
  assert.equal(fixture.calls("list"), 2);
});

Deno.test("a directory with more names than may be held is read page by page", async () => {
  const { fixture, handle } = await listed(40, { ...SETTINGS, listingEntriesMax: 10 });
  assert.deepEqual((await fixture.readWhole(handle)).map(({ name }) => name), names(40));
  assert.equal(fixture.calls("list"), 10);
  const [again] = await fixture.readWhole(handle, 2);
  assert.equal(again?.name, "n000");
  assert.ok(fixture.calls("list") > 10, "The page sought is asked for again");
});

Deno.test("a page that has become empty does not end the directory", async () => {
  const { fixture, handle } = await listed(40, { ...SETTINGS, listingEntriesMax: 10 });
  await fixture.readWhole(handle);
  // The first page now holds nothing but keys that cannot be shown.
  for (const letter of "abcd") fixture.seed(letter.repeat(256));
  const again = await fixture.readWhole(handle);
  assert.equal(again.at(-1)?.name, "n039");
});

Deno.test("a page that cannot be had is EIO, and can be had later", async () => {
  const { fixture, handle } = await listed(6);
  const { scripted } = fixture.store();
  scripted.steps.push(
    { kind: "pass" },
    { kind: "fail", code: "unavailable", retryAfterMs: null, afterBytes: 0 },
  );
  await fixture.readDirectory(handle, 2);
  assert.equal(await fixture.readDirectory(handle, 6), EIO);
  const records = await fixture.readWhole(handle);
  assert.deepEqual(records.map(({ name }) => name), names(6));
});

Deno.test("a page that comes after the directory was closed disturbs nobody", async () => {
  const { fixture, handle } = await listed(3);
  const records = new RecordsBuffer(4096, true);
  const reading = fixture.send({ op: "readdir", handle, cookie: 2, records });
  await fixture.send({ op: "releasedir", handle });
  const reply = await reading;
  assert(reply.kind === "records");
  reply.withdraw();
  assert.equal(fixture.fs.nodes, 1);
});

Deno.test("a directory hides an object of its name, on whatever pages they come", async () => {
  const fixture = new FileSystemFixture({ ...SETTINGS, pageSize: 2 });
  fixture.seed("a", "a-1", "a-2", "a/b"); // the store lists a, a-1, a-2, a/
  const { node } = await fixture.find("data");
  assert.deepEqual(await fixture.names(node), ["a", "a-1", "a-2"]);
  const handle = await fixture.open(node, "opendir");
  const [shown] = await fixture.readWhole(handle);
  assert.equal(shown?.type, DIRECTORY);
  const found = await fixture.find("data/a");
  assert.equal(found.attributes.mode, 0o040555);
  assert.equal(found.node, shown?.node);
});

Deno.test("backends mounted in a directory come first and hide what has their name", async () => {
  const fixture = new FileSystemFixture(SETTINGS, ["data", "data/n002", "data/zoo"]);
  fixture.seed(...names(6), "n002/hidden");
  const { node } = await fixture.find("data");
  const expected = ["n002", "zoo", ...names(6).filter((name) => name !== "n002")];
  assert.deepEqual(await fixture.names(node), expected);
  assert.deepEqual(await fixture.names(node), expected);
  assert.equal(fixture.calls("list"), 2);
  assert.equal(fixture.calls("stat"), 0);
});

Deno.test("the root shows its backends while every store is down", async () => {
  const fixture = new FileSystemFixture(SETTINGS, ["east", "west/deep"]);
  assert.deepEqual(await fixture.names(ROOT_NODE), ["east", "west"]);
  const { node } = await fixture.find("west");
  assert.deepEqual(await fixture.names(node), ["deep"]);
  assert.equal(fixture.calls("list", "east"), 0);
});

Deno.test("keys that no file system can show are left out and counted", async () => {
  const fixture = new FileSystemFixture();
  const { memory } = fixture.store();
  for (const key of ["a", "..", "b//c", "n".repeat(256)]) memory.seed(key, new Uint8Array(1));
  const { node } = await fixture.find("data");
  assert.deepEqual(await fixture.names(node), ["a", "b"]);
  const below = await fixture.find("data/b");
  assert.deepEqual(await fixture.names(below.node), []);
  assert.equal(fixture.unlistable.reduce((sum, keys) => sum + keys, 0), 3);
});

Deno.test("OPENDIR of a file is ENOTDIR", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const { node } = await fixture.find("data/a");
  assert.equal(await fixture.errno({ op: "opendir" }, node), ENOTDIR);
});

Deno.test("READDIRPLUS adds no node when there are as many as may be", async () => {
  const { fixture, handle } = await listed(6, { ...SETTINGS, nodesMax: 3 });
  const records = await fixture.readWhole(handle);
  assert.deepEqual(records.map(({ name }) => name), names(6));
  assert.deepEqual(records.map(({ node }) => node !== null), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("OPENDIR lets the kernel keep one listing of a directory, never two mixed", async () => {
  const { fixture, node, handle } = await listed(6, { ...SETTINGS, kernelKeepsListings: true });
  const use = async () => {
    const reply = await fixture.send({ op: "opendir" }, node);
    assert(reply.kind === "opened" && reply.as.mode === "directory");
    await fixture.send({ op: "releasedir", handle: reply.handle });
    return reply.as.listing;
  };
  assert.equal(await use(), "reuse"); // the first opening, above, filled it
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  assert.equal(await use(), "uncached"); // the older listing is still being read
  await fixture.send({ op: "releasedir", handle });
  assert.equal(await use(), "fill");
  assert.equal(await use(), "reuse");
});
