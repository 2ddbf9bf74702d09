import assert from "node:assert/strict";
import { CALLER, Fields, initMessage, kernelMessage } from "../../tests/support/kernel_message.ts";
import { SessionFixture, WANTED } from "../../tests/support/fuse_session.ts";
import { INIT } from "./abi.ts";
import { handleId, nodeId } from "./ids.ts";
import type { FoundEntry, Reply, Request } from "./messages.ts";
import { HandshakeError } from "./session.ts";

const ENOENT = 2;
const EIO = 5;
const ENODEV = 19;
const EINVAL = 22;
const ECONNABORTED = 103;
const EMPTY: Reply = { kind: "empty" };
const MOMENT = { seconds: 0, nanoseconds: 0 };
const FOUND: FoundEntry = {
  node: nodeId(77),
  attributes: {
    inode: 77,
    sizeBytes: 0,
    blocks: 0,
    accessed: MOMENT,
    modified: MOMENT,
    changed: MOMENT,
    mode: 0o040555,
    links: 2,
    uid: 0,
    gid: 0,
  },
  entryValidMs: 0,
  attributesValidMs: 0,
};

/** FLUSH, the plainest request there is. */
function flush(unique: number): Uint8Array<ArrayBuffer> {
  return kernelMessage(25, new Fields().u64(1, 0, 0), { ...CALLER, unique });
}

/** READDIR, whose request carries the room for its reply. */
function readDirectory(unique: number): Uint8Array<ArrayBuffer> {
  const body = new Fields().u64(1, 0).u32(4096, 0).u64(0, 0);
  return kernelMessage(28, body, { ...CALLER, unique });
}

/** A reply that makes the kernel count something. */
function promising(
  kind: "entry" | "opened" | "records",
  withdraw: () => void,
  request: Request,
): Reply {
  switch (kind) {
    case "entry":
      return { kind, entry: FOUND, withdraw };
    case "opened":
      return { kind, handle: handleId(1), as: { mode: "cached" }, withdraw };
    case "records":
      assert(request.op === "readdir");
      return { kind, records: request.records, withdraw };
  }
}

/** A message cut short behind its header. */
function broken(unique: number): Uint8Array<ArrayBuffer> {
  return kernelMessage(15, new Fields().u64(1), { ...CALLER, unique });
}

Deno.test("Session agrees with the kernel and answers its INIT once", async () => {
  const { session, channel } = new SessionFixture();
  channel.push(initMessage(7, 45, INIT.INIT_EXT | INIT.ASYNC_READ));
  assert.deepEqual(await session.connect(WANTED), { minor: 45, passthrough: false, prune: true });
  assert.equal(channel.replies.length, 1);
  assert.deepEqual([...channel.replies[0]?.body.subarray(0, 8) ?? []], [7, 0, 0, 0, 45, 0, 0, 0]);
});

Deno.test("Session lets a kernel of a newer major version ask a second time", async () => {
  const { session, channel } = new SessionFixture();
  channel.push(initMessage(8, 2, 0n), initMessage(7, 45, 0n));
  await session.connect(WANTED);
  assert.deepEqual(channel.replies.map(({ body }) => [body[0], body[4]]), [[7, 0], [7, 45]]);
});

Deno.test("Session refuses a kernel that is too old: its first user gets an error", async () => {
  const { session, channel } = new SessionFixture();
  channel.push(initMessage(7, 23, 0n));
  await assert.rejects(session.connect(WANTED), HandshakeError);
  assert.equal(channel.replies[0]?.errno, EIO);
});

Deno.test("Session waits for INIT whatever comes before it", async () => {
  const fixture = new SessionFixture();
  const connecting = fixture.session.connect(WANTED);
  fixture.channel.push(flush(40), initMessage(7, 45, 0n));
  await connecting;
  assert.deepEqual(fixture.logged("warn"), ["Ignore a message before INIT"]);
});

Deno.test("Session says why there was no handshake when the mount is taken away", async () => {
  const { session, channel } = new SessionFixture();
  const connecting = session.connect(WANTED);
  channel.end(ENODEV);
  await assert.rejects(connecting, /Cannot serve the mount: ENODEV/);
});

Deno.test("Session writes answers that come at once and later, once each", async () => {
  const fixture = new SessionFixture();
  const { channel, session } = fixture;
  const later = Promise.withResolvers<Reply>();
  const { ended } = await fixture.serve(({ id }) => id === 4 ? later.promise : EMPTY);
  channel.push(flush(4), flush(6));
  await channel.reply(6);
  assert.equal(session.inFlight, 1);
  later.resolve({ kind: "error", errno: ENOENT });
  assert.equal((await channel.reply(4)).errno, ENOENT);
  assert.equal(session.inFlight, 0);
  await fixture.unmount(ended);
  assert.deepEqual(channel.replies.map(({ unique }) => unique), [2, 6, 4]);
  assert.deepEqual(channel.refused, []);
  assert.deepEqual(fixture.recorded, ["flush", "flush"]);
});

Deno.test("Session answers EIO where the handler breaks, and goes on", async () => {
  const fixture = new SessionFixture();
  const { channel } = fixture;
  const { ended } = await fixture.serve(({ id }) => {
    if (id === 4) throw new TypeError("A bug");
    return id === 6 ? Promise.reject(new TypeError("A later bug")) : EMPTY;
  });
  channel.push(flush(4), flush(6), flush(8));
  assert.equal((await channel.reply(4)).errno, EIO);
  assert.equal((await channel.reply(6)).errno, EIO);
  assert.equal((await channel.reply(8)).errno, 0);
  const message = "Fail flush after an unexpected error";
  assert.deepEqual(fixture.logged("error"), [message, message]);
  await fixture.unmount(ended);
});

Deno.test("Session answers a malformed message with EINVAL, and goes on", async () => {
  const fixture = new SessionFixture();
  const { channel } = fixture;
  const { ended } = await fixture.serve(() => EMPTY);
  channel.push(broken(4), new Uint8Array(12), flush(6));
  assert.equal((await channel.reply(4)).errno, EINVAL);
  assert.equal((await channel.reply(6)).errno, 0);
  const message = "Refuse a malformed kernel message";
  assert.deepEqual(fixture.logged("error"), [message, message]);
  await fixture.unmount(ended);
});

Deno.test("Session answers neither FORGET nor a second INIT", async () => {
  const fixture = new SessionFixture();
  const { channel } = fixture;
  const { ended } = await fixture.serve(({ op }) => op === "forget" ? { kind: "none" } : EMPTY);
  channel.push(
    kernelMessage(2, new Fields().u64(1), { ...CALLER, unique: 4 }),
    initMessage(7, 45, 0n),
    flush(6),
  );
  await channel.reply(6);
  await fixture.unmount(ended);
  assert.deepEqual(channel.replies.map(({ unique }) => unique), [2, 6]);
  assert.deepEqual(channel.refused, []);
  assert.deepEqual(fixture.logged("error"), ["Ignore a second INIT"]);
});

Deno.test("Session lets other work run during a burst of requests", async () => {
  const fixture = new SessionFixture();
  let handled = 0;
  const { ended } = await fixture.serve(() => {
    handled += 1;
    return EMPTY;
  });
  const burst = Array.from({ length: 1_000 }, (_, index) => flush(4 + index * 2));
  fixture.channel.push(...burst);
  await fixture.channel.reply(4);
  assert.ok(handled > 0 && handled < 1_000, `${handled} handled in one turn`);
  await fixture.channel.reply(2_002);
  assert.equal(handled, 1_000);
  await fixture.unmount(ended);
});

Deno.test("Session withdraws what a reply promised when its caller is gone", async () => {
  for (const kind of ["entry", "opened", "records"] as const) {
    const fixture = new SessionFixture();
    const { channel } = fixture;
    const withdrawn: number[] = [];
    const { ended } = await fixture.serve((request) =>
      promising(kind, () => withdrawn.push(request.id), request)
    );
    channel.failReply(4, ENOENT);
    channel.push(readDirectory(4), readDirectory(6));
    await channel.reply(6);
    assert.deepEqual(withdrawn, [4], kind);
    assert.deepEqual(fixture.logged("error"), []);
    await fixture.unmount(ended);
  }
});

Deno.test("Session gives back the bytes of a reply once, taken or not", async () => {
  const fixture = new SessionFixture();
  const { channel } = fixture;
  const released: number[] = [];
  const { ended } = await fixture.serve(({ id }) => ({
    kind: "bytes",
    bytes: new Uint8Array([1]),
    release: () => released.push(id),
  }));
  channel.failReply(4, ENOENT);
  channel.push(flush(4), flush(6));
  await channel.reply(6);
  assert.deepEqual(released, [4, 6]);
  await fixture.unmount(ended);
});

Deno.test("Session answers EIO where the kernel refuses a reply for its shape", async () => {
  const fixture = new SessionFixture();
  const { channel } = fixture;
  let withdrawn = 0;
  const { ended } = await fixture.serve((request) =>
    promising("entry", () => withdrawn += 1, request)
  );
  channel.failReply(4, EINVAL);
  channel.push(flush(4));
  assert.equal((await channel.reply(4)).errno, EIO);
  assert.equal(withdrawn, 1);
  assert.deepEqual(fixture.logged("error"), ["Kernel refused a reply"]);
  await fixture.unmount(ended);
});

Deno.test("Session lets callers go when the mount is gone, and withdraws replies", async () => {
  const fixture = new SessionFixture();
  const { channel, session } = fixture;
  let withdrawn = 0;
  const begun = Promise.withResolvers<AbortSignal>();
  const { ended } = await fixture.serve((request, signal) => {
    begun.resolve(signal.get());
    return new Promise((resolve) =>
      signal.get().addEventListener(
        "abort",
        () => resolve(promising("entry", () => withdrawn += 1, request)),
      )
    );
  });
  channel.push(flush(4));
  const signal = await begun.promise;
  assert.equal(signal.aborted, false);
  channel.end(ENODEV);
  assert.equal(await ended, "unmounted");
  assert.equal(signal.aborted, true);
  assert.equal(withdrawn, 1);
  assert.equal(session.inFlight, 0);
  assert.equal(await session.notify({ kind: "prune", nodes: [] }), false);
});

Deno.test("Session says that a connection was aborted", async () => {
  const fixture = new SessionFixture();
  const { ended } = await fixture.serve(() => EMPTY);
  fixture.channel.end(ECONNABORTED);
  assert.equal(await ended, "connection aborted");
});

Deno.test("Session sends notifications only while it serves", async () => {
  const fixture = new SessionFixture();
  const notification = { kind: "prune", nodes: [] } as const;
  assert.equal(await fixture.session.notify(notification), false);
  const { ended } = await fixture.serve(() => EMPTY);
  assert.equal(await fixture.session.notify(notification), true);
  assert.equal(fixture.channel.notifications.length, 1);
  await fixture.unmount(ended);
});
