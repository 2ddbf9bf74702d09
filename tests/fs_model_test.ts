/**
 * Random operations on the file system, with a store that changes under it, against a history of
 * what the store held. No kernel; every run can be repeated by its seed.
 */
import assert from "node:assert/strict";
import { joinPath } from "../cache/backend/backend.ts";
import type { HandleId, NodeId, Reply } from "../mount/fuse/messages.ts";
import { ROOT_NODE } from "../mount/fuse/ids.ts";
import { FileSystemFixture, type FileSystemSettings, SETTINGS } from "./support/file_system.ts";
import { OriginHistory, type PathState } from "./support/origin_history.ts";
import { type SeededRandom, withSeed } from "./support/seeded_random.ts";

const STEPS = 1_500;
const ESTALE = 116;
const EINTR = 4;
const DIRECTORY = 0o040000;

/** Keys that come and go; one is an object and a directory. */
const KEYS = [
  "a",
  "b",
  "c",
  "d",
  "dir/a",
  "dir/b",
  "dir/c",
  "dir/sub/x",
  "dir/sub/y",
  "d/e",
  "z/z",
];

/** A node the kernel knows. */
interface Known {
  readonly path: string;
  readonly parent: NodeId;
  /** Version of an object; null for a directory. */
  readonly version: string | null;
}

interface OpenFile {
  readonly node: NodeId;
  readonly path: string;
  readonly version: string;
}

interface OpenDirectory {
  readonly node: NodeId;
  readonly path: string;
  /** The earliest time its listing can be from. */
  readonly sinceMs: number;
  /** Names read so far, by the position behind them. */
  readonly names: Map<number, string>;
}

/** One run: the file system, its store, and what a kernel would know. */
class Run {
  readonly fixture: FileSystemFixture;
  readonly settings: FileSystemSettings;
  readonly random: SeededRandom;
  readonly history = new OriginHistory();
  readonly known = new Map<NodeId, Known>();
  readonly files = new Map<HandleId, OpenFile>();
  readonly directories = new Map<HandleId, OpenDirectory>();
  /** What each node ever stood for: a node never changes its meaning. */
  readonly meanings = new Map<NodeId, string>();
  /** How often each thing was seen, so that a run that proves nothing fails. */
  readonly seen = new Map<string, number>();

  constructor(settings: FileSystemSettings, random: SeededRandom) {
    this.settings = settings;
    this.fixture = new FileSystemFixture(settings);
    this.random = random;
  }

  get nowMs(): number {
    return this.fixture.clock.wallMs();
  }

  async step(): Promise<void> {
    const dice = this.random.below(100);
    if (dice < 12) await this.change();
    else if (dice < 17) await this.fixture.clock.advance(this.random.below(25_000));
    else if (dice < 40) await this.walk(this.random.pick(KEYS));
    else if (dice < 52) await this.open();
    else if (dice < 70) await this.read();
    else if (dice < 77) await this.release();
    else if (dice < 82) await this.openDirectory();
    else if (dice < 92) await this.readDirectory();
    else if (dice < 95) await this.releaseDirectory();
    else this.forget();
  }

  /** Overwrites, creates or deletes an object. */
  async change(): Promise<void> {
    const { memory } = this.fixture.store();
    const key = this.random.pick(KEYS);
    if (this.random.below(4) === 0) {
      await memory.remove(key, new AbortController().signal);
      return this.history.remove(key, this.nowMs);
    }
    // Every stretch of the bytes tells which version it belongs to.
    const text = `${key} of ${this.history.keys.length} at ${this.random.below(1e9)}. `;
    const bytes = new TextEncoder().encode(text.repeat(this.random.below(20)));
    this.history.put(key, memory.seed(key, bytes).version, bytes, this.nowMs);
  }

  /** Looks up every segment of `data/key`, as open(2) would. */
  async walk(key: string): Promise<void> {
    const { node: data } = await this.fixture.find("data");
    this.know(data, { path: "", parent: ROOT_NODE, version: null });
    let parent = data;
    let path = "";
    for (const name of key.split("/")) {
      path = joinPath(path, name);
      const reply = await this.fixture.lookup(parent, name);
      const states = this.history.statesSince(path, this.nowMs + validMs(reply) - this.lagMs);
      if (reply.kind !== "entry") return this.checkAbsent(path, reply, states);
      const { node, attributes } = reply.entry;
      await this.learn(node, parent, path, attributes.mode, states);
      if (this.known.get(node)?.version !== null) return;
      parent = node;
    }
  }

  /** How far behind the store the file system may be. */
  get lagMs(): number {
    return this.settings.staleTtlMs;
  }

  checkAbsent(path: string, reply: Reply, states: readonly PathState[]): void {
    assert.equal(reply.kind, "absent");
    const absent = states.some(({ version, isDirectory }) => version === null && !isDirectory);
    assert.ok(absent, `"${path}" was there all the time and is shown as absent`);
    this.count("absent");
  }

  /** Checks a node that was found, and takes note of it. */
  async learn(
    node: NodeId,
    parent: NodeId,
    path: string,
    mode: number,
    states: readonly PathState[],
  ): Promise<void> {
    const isDirectory = (mode & 0o170000) === DIRECTORY;
    const version = isDirectory ? null : await this.versionOf(node);
    const was = states.some((state) =>
      version === null ? state.isDirectory : state.version === version
    );
    assert.ok(was, `"${path}" is shown as ${version ?? "a directory"}, which it was not of late`);
    this.know(node, { path, parent, version });
    this.count(isDirectory ? "directory" : "object");
  }

  know(node: NodeId, known: Known): void {
    const meaning = `${known.path} ${known.version}`;
    assert.equal(this.meanings.get(node) ?? meaning, meaning);
    this.meanings.set(node, meaning);
    this.known.set(node, known);
  }

  async versionOf(node: NodeId): Promise<string> {
    const name = "user.warpdrive.version";
    const reply = await this.fixture.send({ op: "getxattr", name, size: 64 }, node);
    assert(reply.kind === "bytes");
    return new TextDecoder().decode(reply.bytes);
  }

  async open(): Promise<void> {
    const objects = [...this.known].filter(([, { version }]) => version !== null);
    if (objects.length === 0) return;
    const [node, { path, version }] = this.random.pick(objects);
    assert(version !== null);
    const reply = await this.fixture.send({ op: "open", flags: 0 }, node);
    if (reply.kind === "opened") {
      this.files.set(reply.handle, { node, path, version });
      return;
    }
    assert.deepEqual(reply, { kind: "error", errno: ESTALE });
    assert.ok(!this.history.isCurrent(path, version), `"${path}" is there and cannot be opened`);
    this.count("stale open");
  }

  /** Reads a range, while the store may change or the reader be interrupted. */
  async read(): Promise<void> {
    if (this.files.size === 0) return;
    const [handle, file] = this.random.pick([...this.files]);
    const expected = this.history.bytes(file.version);
    const offset = this.random.below(expected.length + 20);
    const size = this.random.below(600);
    const interrupt = new AbortController();
    const operation = { op: "read", handle, offset, size } as const;
    const reading = this.fixture.send(operation, file.node, interrupt.signal);
    const event = this.random.below(10);
    for (let turn = this.random.below(12); turn > 0; turn -= 1) await Promise.resolve();
    if (event < 3) await this.change();
    if (event === 3) interrupt.abort();
    const reply = await reading;
    if (reply.kind === "bytes") {
      assert.deepEqual(reply.bytes, expected.slice(offset, offset + size));
      reply.release();
      return this.count("read");
    }
    assert(reply.kind === "error");
    if (reply.errno === EINTR && interrupt.signal.aborted) return this.count("interrupted read");
    assert.equal(reply.errno, ESTALE);
    const lost = !this.history.isCurrent(file.path, file.version);
    assert.ok(lost, `"${file.path}" is there and cannot be read`);
    this.count("stale read");
  }

  async release(): Promise<void> {
    if (this.files.size === 0) return;
    const [handle] = this.random.pick([...this.files]);
    this.files.delete(handle);
    assert.deepEqual(await this.fixture.send({ op: "release", handle }), { kind: "empty" });
  }

  async openDirectory(): Promise<void> {
    const directories = [...this.known].filter(([, { version }]) => version === null);
    if (directories.length === 0) return;
    const [node, { path }] = this.random.pick(directories);
    const handle = await this.fixture.open(node, "opendir");
    const sinceMs = this.nowMs - this.lagMs;
    this.directories.set(handle, { node, path, sinceMs, names: new Map() });
  }

  /** Reads some of a directory, or all of it from its beginning. */
  async readDirectory(): Promise<void> {
    if (this.directories.size === 0) return;
    const [handle, directory] = this.random.pick([...this.directories]);
    const plus = this.random.pick(["plus", "plain"] as const);
    if (this.random.below(3) > 0) {
      const cookie = this.random.pick([0, 2, ...directory.names.keys()]);
      const some = await this.fixture.readDirectory(handle, cookie, plus, 500);
      assert(typeof some !== "number");
      return await this.checkRecords(directory, some);
    }
    const records = await this.fixture.readWhole(handle, 0, plus);
    await this.checkRecords(directory, records);
    this.count("whole directory");
    // A directory too large to hold shows what it is now where it is read again.
    if (this.settings.listingEntriesMax < KEYS.length) return;
    const names = records.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, `Names come twice: ${names}`);
    for (const name of this.history.lastingNames(directory.path, directory.sinceMs)) {
      assert.ok(names.includes(name), `"${name}" was always there and is not listed`);
    }
  }

  async checkRecords(
    { node: parent, path, sinceMs, names }: OpenDirectory,
    records: Awaited<ReturnType<FileSystemFixture["readWhole"]>>,
  ): Promise<void> {
    for (const { name, node, type, cookie, entryValidSeconds } of records) {
      if (name === "." || name === "..") continue;
      const child = joinPath(path, name);
      const since = entryValidSeconds === 0
        ? sinceMs
        : Math.max(sinceMs, this.nowMs + entryValidSeconds * 1_000 - this.lagMs);
      const states = this.history.statesSince(child, since);
      const was = states.some((state) =>
        type === DIRECTORY ? state.isDirectory : state.version !== null
      );
      assert.ok(was, `"${child}" is listed as something it was not of late`);
      if (node !== null) await this.learn(node, parent, child, type, states);
      if (this.settings.listingEntriesMax < KEYS.length) continue;
      assert.equal(names.get(cookie) ?? name, name, "A name changed its position");
      names.set(cookie, name);
    }
  }

  async releaseDirectory(): Promise<void> {
    if (this.directories.size === 0) return;
    const [handle] = this.random.pick([...this.directories]);
    this.directories.delete(handle);
    await this.fixture.send({ op: "releasedir", handle });
  }

  /** Forgets a node nobody uses; the kernel keeps the parents of what it knows. */
  forget(): void {
    const used = new Set([
      ...[...this.known.values()].map(({ parent }) => parent),
      ...[...this.files.values(), ...this.directories.values()].map(({ node }) => node),
    ]);
    const unused = [...this.known.keys()].filter((node) => !used.has(node));
    if (unused.length === 0) return;
    const node = this.random.pick(unused);
    this.known.delete(node);
    this.fixture.forget(node);
  }

  /** Gives everything back; then nothing may be left. */
  async end(): Promise<void> {
    while (this.files.size > 0) await this.release();
    while (this.directories.size > 0) await this.releaseDirectory();
    assert.deepEqual(new Set(this.fixture.known), new Set(this.known.keys()));
    this.fixture.forgetAll();
    assert.equal(this.fixture.fs.openFiles, 0);
    await this.fixture.clock.advance(10_000); // reads that were interrupted linger for 5 s
    assert.equal(this.fixture.clock.sleeping, 0);
    assert.deepEqual(this.fixture.records.filter((record) => record["level"] === "error"), []);
  }

  count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}

function validMs(reply: Reply): number {
  return reply.kind === "entry"
    ? reply.entry.entryValidMs
    : reply.kind === "absent"
    ? reply.validMs
    : 0;
}

const EVENTS = [
  "absent",
  "directory",
  "object",
  "read",
  "stale read",
  "stale open",
  "interrupted read",
  "whole directory",
];

const VARIANTS: readonly (readonly [string, FileSystemSettings])[] = [
  ["as by default", { ...SETTINGS, pageSize: 2 }],
  ["with listings and nodes beyond their bounds", {
    ...SETTINGS,
    pageSize: 2,
    listingEntriesMax: 3,
    nodesMax: 5,
  }],
  ["with metadata asked for always", { ...SETTINGS, pageSize: 3, staleTtlMs: 0 }],
];

VARIANTS.forEach(([title, settings], index) => {
  Deno.test(`the file system keeps to its store under random operations, ${title}`, async () => {
    await withSeed(20_261_122 + index, async (random) => {
      const run = new Run(settings, random);
      for (let step = 0; step < STEPS; step += 1) await run.step();
      await run.end();
      for (const event of EVENTS) assert.ok(run.seen.has(event), `There was no ${event}`);
    });
  });
});
