import assert from "node:assert/strict";
import { FileSystemFixture, SETTINGS } from "../../tests/support/file_system.ts";
import { nodeId, ROOT_NODE } from "../fuse/ids.ts";
import type { FoundEntry, Reply } from "../fuse/messages.ts";

const ENAMETOOLONG = 36;

function entryOf(reply: Reply): FoundEntry {
  assert(reply.kind === "entry", `Looked up as ${JSON.stringify(reply)}`);
  return reply.entry;
}

Deno.test("LOOKUP finds directories and objects, and FORGET frees every node again", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("train/shard-000000.tar");
  const { attributes } = await fixture.find("data/train/shard-000000.tar");
  assert.equal(attributes.mode, 0o100444);
  assert.equal(attributes.sizeBytes, 22);
  assert.equal(attributes.uid, 1000);
  assert.equal(fixture.fs.nodes, 3);
  fixture.forgetAll();
});

Deno.test("LOOKUP counts every reply, and FORGET takes back as many as it says", async () => {
  const fixture = new FileSystemFixture();
  const { node } = entryOf(await fixture.lookup(ROOT_NODE, "data"));
  await fixture.lookup(ROOT_NODE, "data");
  await fixture.send({ op: "forget", forgotten: [{ node, lookups: 1 }] });
  assert.equal(fixture.fs.nodes, 1);
  await fixture.send({ op: "forget", forgotten: [{ node, lookups: 1 }] });
  assert.equal(fixture.fs.nodes, 0);
});

Deno.test("LOOKUP counts nothing when the kernel did not take its reply", async () => {
  const fixture = new FileSystemFixture();
  const reply = await fixture.send({ op: "lookup", name: "data" });
  assert(reply.kind === "entry");
  reply.withdraw();
  assert.equal(fixture.fs.nodes, 0);
});

Deno.test("FORGET of a node that is not known any more changes nothing", () => {
  const fixture = new FileSystemFixture();
  fixture.send({ op: "forget", forgotten: [{ node: nodeId(4242), lookups: 1 }] });
  fixture.send({ op: "forget", forgotten: [{ node: ROOT_NODE, lookups: 1 }] });
  assert.equal(fixture.fs.nodes, 0);
});

Deno.test("LOOKUP says for how long a missing name need not be asked for again", async () => {
  const fixture = new FileSystemFixture();
  const data = await fixture.find("data");
  assert.deepEqual(await fixture.lookup(data.node, "missing"), {
    kind: "absent",
    validMs: SETTINGS.negativeMs,
  });
  assert.deepEqual(await fixture.lookup(ROOT_NODE, "elsewhere"), {
    kind: "absent",
    validMs: SETTINGS.negativeMs,
  });
});

Deno.test("LOOKUP measures names in bytes: 255 are asked for, 256 are too long", async () => {
  const fixture = new FileSystemFixture();
  const { node } = await fixture.find("data");
  const errno = (name: string) => fixture.errno({ op: "lookup", name }, node);
  assert.equal(await errno("n".repeat(255)), 0);
  assert.equal(await errno("n".repeat(256)), ENAMETOOLONG);
  assert.equal(await errno("文".repeat(85)), 0);
  assert.equal(await errno("文".repeat(85) + "n"), ENAMETOOLONG);
});

Deno.test("LOOKUPs of one name at once share one question to the store", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const { node } = await fixture.find("data");
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => fixture.lookup(node, "a")),
  );
  assert.equal(new Set(replies.map((reply) => entryOf(reply).node)).size, 1);
  assert.equal(fixture.calls("stat"), 1);
});

Deno.test("LOOKUP asks no store for what a listing told, absence included", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a", "b", "c", "d", "e", "f");
  const { node } = await fixture.find("data");
  await fixture.names(node);
  for (const name of ["a", "f"]) entryOf(await fixture.lookup(node, name));
  assert.equal((await fixture.lookup(node, "missing")).kind, "absent");
  assert.equal(fixture.calls("stat"), 0);
});

Deno.test("LOOKUP asks the store for a name that a listing has not come to", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a", "b", "c", "d", "e", "f");
  const { node } = await fixture.find("data");
  const handle = await fixture.open(node, "opendir");
  await fixture.readDirectory(handle, 2); // the first page: a to d
  entryOf(await fixture.lookup(node, "d"));
  assert.equal(fixture.calls("stat"), 0);
  entryOf(await fixture.lookup(node, "f"));
  assert.equal((await fixture.lookup(node, "bb")).kind, "absent");
  assert.equal(fixture.calls("stat"), 2);
});

Deno.test("LOOKUP lets the kernel believe a listing for what is left of its time", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const { node } = await fixture.find("data");
  await fixture.names(node);
  await fixture.clock.advance(58_000);
  const found = entryOf(await fixture.lookup(node, "a"));
  assert.equal(found.entryValidMs, 2_000);
  assert.equal(found.attributesValidMs, 2_000);
  assert.deepEqual(await fixture.lookup(node, "missing"), { kind: "absent", validMs: 2_000 });
  await fixture.clock.advance(2_000);
  assert.equal(entryOf(await fixture.lookup(node, "a")).entryValidMs, 60_000);
  assert.equal(fixture.calls("stat"), 1);
});

Deno.test("LOOKUP lets the kernel believe nothing when stale_ttl is 0", async () => {
  const fixture = new FileSystemFixture({ ...SETTINGS, staleTtlMs: 0 });
  fixture.seed("a");
  const { node } = await fixture.find("data");
  await fixture.names(node);
  assert.equal(entryOf(await fixture.lookup(node, "a")).entryValidMs, 0);
  assert.deepEqual(await fixture.lookup(node, "missing"), { kind: "absent", validMs: 0 });
  assert.equal(fixture.calls("stat"), 2);
});

Deno.test("LOOKUP gives another version another node and the same inode number", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a");
  const first = await fixture.find("data/a");
  const again = await fixture.find("data/a");
  assert.equal(again.node, first.node);
  fixture.seed("a");
  const second = await fixture.find("data/a");
  assert.notEqual(second.node, first.node);
  assert.equal(second.attributes.inode, first.attributes.inode);
});

Deno.test("node ids and inode numbers are the same in every process", async () => {
  const numbers = await Promise.all([1, 2].map(async () => {
    const fixture = new FileSystemFixture();
    fixture.seed("train/a", "train/b");
    const found = [await fixture.find("data/train"), await fixture.find("data/train/b")];
    return found.map(({ node, attributes }) => [node, attributes.inode]);
  }));
  assert.deepEqual(numbers[0], numbers[1]);
});

Deno.test("paths of different backends have different inode numbers", async () => {
  const fixture = new FileSystemFixture(SETTINGS, ["east", "west"]);
  for (const mountPath of ["east", "west"]) {
    fixture.store(mountPath).memory.seed("a", new Uint8Array(1));
  }
  const east = await fixture.find("east/a");
  const west = await fixture.find("west/a");
  assert.notEqual(east.node, west.node);
  assert.notEqual(east.attributes.inode, west.attributes.inode);
});

Deno.test("LOOKUP finds mount paths and what leads to them without any store", async () => {
  const fixture = new FileSystemFixture(SETTINGS, ["deep/down/data"]);
  const { attributes } = await fixture.find("deep/down/data");
  assert.equal(attributes.mode, 0o040555);
  assert.deepEqual(fixture.store("deep/down/data").scripted.seen, []);
});

Deno.test("LOOKUP finds the deeper mount where its path leads into another backend", async () => {
  const fixture = new FileSystemFixture(SETTINGS, ["data", "data/hidden"]);
  fixture.seed("hidden/by-the-mount", "plain");
  fixture.store("data/hidden").memory.seed("shown", new Uint8Array(3));
  const { node } = await fixture.find("data/hidden");
  assert.equal((await fixture.lookup(node, "by-the-mount")).kind, "absent");
  assert.equal(entryOf(await fixture.lookup(node, "shown")).attributes.sizeBytes, 3);
});

Deno.test("LOOKUP lets a directory hide an object of the same name", async () => {
  const fixture = new FileSystemFixture();
  fixture.seed("a", "a/b");
  const { attributes } = await fixture.find("data/a");
  assert.equal(attributes.mode, 0o040555);
});
