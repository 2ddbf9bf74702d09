import assert from "node:assert/strict";
import { type Backend, BackendError, type ObjectEntry } from "../../cache/backend/backend.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import type { OpenObject } from "../../cache/object/open_object.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { SharedWork } from "../../cache/fetch/shared_work.ts";
import type { LazySignal, Reply } from "../fuse/messages.ts";
import { OpenFiles } from "./files.ts";
import { type Node, NodeTable } from "./nodes.ts";
import type { Volume } from "./volume.ts";

const ENTRY: ObjectEntry = {
  kind: "object",
  name: "a",
  sizeBytes: 3,
  modified: { seconds: 0, nanoseconds: 0 },
  version: "v1",
  etag: null,
  posix: null,
};
const signal: LazySignal = { get: () => new AbortController().signal };

/** One file on this machine, what is called on it, and the kernel's registry of such files. */
class LocalFixture {
  readonly calls: string[] = [];
  readonly gone: Node[] = [];
  readonly node: Node;
  readonly files: OpenFiles;
  /** Opens that wait, when the disk is slow. */
  readonly opening: PromiseWithResolvers<OpenObject>[] = [];

  /** `register` is what the kernel says to a file. */
  constructor(register: () => number | null) {
    const backend: Backend = new MemoryBackend(
      "local",
      { pageSize: 1, pieceBytes: 1 },
      systemClock,
    );
    const volume: Volume = {
      name: "local",
      mountPath: "",
      backend,
      files: null,
      statuses: new SharedWork(systemClock, 0),
      offline: null,
      objects: {
        prefetch: () => undefined,
        bring: () => Promise.resolve("not kept"),
        keptBytes: () => Promise.resolve(null),
        open: () => {
          const opening = Promise.withResolvers<OpenObject>();
          this.opening.push(opening);
          return opening.promise;
        },
      },
    };
    const nodes = new NodeTable({ volume, children: new Map() });
    this.node = nodes.obtain(nodes.root, ENTRY);
    this.node.lookups = 1;
    const backing = {
      register: (fd: number) => {
        this.calls.push(`register ${fd}`);
        return register();
      },
      unregister: (id: number) => {
        this.calls.push(`unregister ${id}`);
      },
      opened: () => undefined,
    };
    this.files = new OpenFiles(nodes, backing, {
      opened: () => undefined,
      held: () => undefined,
      isJustLookedUp: () => false,
      gone: (node) => this.gone.push(node),
    });
  }

  object(backingFd: number, readNow: OpenObject["readNow"] = () => null): OpenObject {
    return {
      entry: ENTRY,
      backingFd,
      readNow,
      read: (_offset, length) =>
        Promise.resolve({
          bytes: new Uint8Array(length).fill(7),
          release: () => {
            this.calls.push("release bytes");
          },
        }),
      seek: (offset) => offset,
      status: () => ENTRY,
      passedThrough: () => undefined,
      close: () => {
        this.calls.push(`close ${backingFd}`);
      },
    };
  }

  /** Opens the file, which the disk then finds as `fd`. */
  async open(fd: number, readNow?: OpenObject["readNow"]) {
    const reply = this.files.open(this.node, 0, 0);
    this.opening.at(-1)?.resolve(this.object(fd, readNow));
    return openedReply(await reply);
  }
}

function openedReply(reply: Reply) {
  assert(reply.kind === "opened", `Opening ended ${reply.kind}`);
  return reply;
}

Deno.test("OpenFiles registers a file that the kernel reads once for all opens", async () => {
  const fixture = new LocalFixture(() => 7);
  const first = await fixture.open(30);
  const second = await fixture.open(31);
  assert.deepEqual(first.as, { mode: "passthrough", backingId: 7 });
  assert.deepEqual(second.as, first.as);
  fixture.files.release(first.handle);
  assert.deepEqual(fixture.calls, ["register 30"]);
  fixture.files.release(second.handle);
  assert.deepEqual(fixture.calls, ["register 30", "unregister 7", "close 30"]);
});

Deno.test("OpenFiles serves a local file itself where the kernel will not read it", async () => {
  const fixture = new LocalFixture(() => null);
  const { handle, as } = await fixture.open(30);
  assert.deepEqual(as, { mode: "cached" });
  const reply = await fixture.files.read(handle, 0, 3, signal);
  assert(reply.kind === "bytes");
  assert.deepEqual([...reply.bytes], [7, 7, 7]);
  reply.release();
  fixture.files.release(handle);
  assert.deepEqual(fixture.calls, ["register 30", "release bytes", "close 30"]);
});

Deno.test("OpenFiles keeps one of two objects opened at once and closes the other", async () => {
  const fixture = new LocalFixture(() => null);
  const first = fixture.files.open(fixture.node, 0, 0);
  const second = fixture.files.open(fixture.node, 0, 0);
  fixture.opening[1]?.resolve(fixture.object(31));
  const kept = openedReply(await second);
  fixture.opening[0]?.resolve(fixture.object(30));
  const other = openedReply(await first);
  assert.deepEqual(fixture.calls, ["register 31", "close 30"]);
  fixture.files.release(kept.handle);
  fixture.files.release(other.handle);
  assert.deepEqual(fixture.calls, ["register 31", "close 30", "close 31"]);
});

Deno.test("OpenFiles answers a read at once where that needs no waiting", async () => {
  const fixture = new LocalFixture(() => null);
  const bytes = new Uint8Array([1, 2, 3]);
  const { handle } = await fixture.open(30, () => bytes);
  const reply = fixture.files.read(handle, 0, 100, signal);
  assert(!(reply instanceof Promise) && reply.kind === "bytes");
  assert.equal(reply.bytes, bytes);
});

Deno.test("OpenFiles remembers that a version is gone, whoever found out", async () => {
  const changed = new BackendError("changed", "local", "read", "a", "it is another one");
  const reading = new LocalFixture(() => null);
  const { handle } = await reading.open(30, () => {
    throw changed;
  });
  assert.throws(() => reading.files.read(handle, 0, 1, signal), changed);
  assert.equal(reading.node.gone, true);

  const opening = new LocalFixture(() => null);
  const reply = opening.files.open(opening.node, 0, 0);
  opening.opening[0]?.reject(changed);
  await assert.rejects(async () => await reply, changed);
  assert.deepEqual(opening.gone, [opening.node]);
});
