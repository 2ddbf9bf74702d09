import assert from "node:assert/strict";
import type { Entry, PosixAttributes } from "../../cache/backend/backend.ts";
import { attributesOf, type DefaultAttributes } from "./attributes.ts";

const at = (seconds: number) => ({ seconds, nanoseconds: seconds });

const DEFAULTS: DefaultAttributes = {
  uid: 1000,
  gid: 100,
  fileMode: 0o440,
  directoryMode: 0o550,
  directoryModified: at(9),
};

const POSIX: PosixAttributes = {
  permissions: 0o6755,
  uid: 5,
  gid: 6,
  links: 3,
  blocks: 24,
  accessed: at(2),
  changed: at(3),
};

function object(sizeBytes: number, posix: PosixAttributes | null = null): Entry {
  const kind = "object";
  return { kind, name: "a", sizeBytes, modified: at(1), version: "v", etag: null, posix };
}

Deno.test("an object shows its store's size and time, and the configured owner and mode", () => {
  assert.deepEqual(attributesOf(object(1025), 77, DEFAULTS), {
    inode: 77,
    sizeBytes: 1025,
    blocks: 3,
    accessed: at(1),
    modified: at(1),
    changed: at(1),
    mode: 0o100440,
    links: 1,
    uid: 1000,
    gid: 100,
  });
});

Deno.test("an object takes as many blocks of 512 bytes as its bytes need", () => {
  const blocks = [0, 1, 512, 513].map((size) => attributesOf(object(size), 1, DEFAULTS).blocks);
  assert.deepEqual(blocks, [0, 1, 1, 2]);
});

Deno.test("a local file shows its own owner, mode, times, links and blocks", () => {
  const attributes = attributesOf(object(1025, POSIX), 77, DEFAULTS);
  assert.deepEqual(attributes, {
    inode: 77,
    sizeBytes: 1025,
    blocks: 24,
    accessed: at(2),
    modified: at(1),
    changed: at(3),
    mode: 0o106755,
    links: 3,
    uid: 5,
    gid: 6,
  });
});

Deno.test("a directory of a store has two links, no size, and the time of the mount", () => {
  const directory: Entry = { kind: "directory", name: "d", modified: null, posix: null };
  const attributes = attributesOf(directory, 1, DEFAULTS);
  assert.equal(attributes.mode, 0o040550);
  assert.deepEqual([attributes.links, attributes.sizeBytes, attributes.blocks], [2, 0, 0]);
  assert.deepEqual(attributes.modified, at(9));
});

Deno.test("a symbolic link is one, as long as its target", () => {
  const link: Entry = { kind: "symlink", name: "l", sizeBytes: 7, modified: at(1), posix: POSIX };
  const attributes = attributesOf(link, 1, DEFAULTS);
  assert.equal(attributes.mode & 0o170000, 0o120000);
  assert.equal(attributes.sizeBytes, 7);
});
