import assert from "node:assert/strict";
import { CALLER, Fields, kernelMessage } from "../../tests/support/kernel_message.ts";
import { SessionFixture } from "../../tests/support/fuse_session.ts";
import type { Reply } from "./messages.ts";

const EINTR = 4;
const TARGET = 4;

/** A request that waits until the test answers it. */
const READ = kernelMessage(
  15,
  new Fields().u64(1, 0).u32(4096, 0).u64(0).u32(0, 0),
  { ...CALLER, unique: TARGET },
);

function interrupt(target: number): Uint8Array<ArrayBuffer> {
  return kernelMessage(36, new Fields().u64(target), { unique: target + 1, node: 0, pid: 0 });
}

/** A session with one read in flight. */
async function reading() {
  const fixture = new SessionFixture();
  const answer = Promise.withResolvers<Reply>();
  const begun = Promise.withResolvers<AbortSignal>();
  const { ended } = await fixture.serve(({ op }, signal) => {
    if (op !== "read") return { kind: "empty" };
    begun.resolve(signal.get());
    return answer.promise;
  });
  fixture.channel.push(READ);
  const signal = await begun.promise;
  let released = 0;
  return {
    fixture,
    signal,
    released: () => released,
    /** Lets the store answer. */
    answer: () =>
      answer.resolve({
        kind: "bytes",
        bytes: new Uint8Array([1]),
        release: () => released += 1,
      }),
    async [Symbol.asyncDispose]() {
      answer.resolve({ kind: "empty" });
      await fixture.unmount(ended);
      assert.deepEqual(fixture.channel.refused, []);
    },
  };
}

Deno.test("Session lets an interrupted caller go with EINTR after one second", async () => {
  await using read = await reading();
  const { channel, clock } = read.fixture;
  channel.push(interrupt(TARGET));
  await clock.advance(999);
  assert.equal(channel.replies.length, 1); // INIT's
  assert.equal(read.signal.aborted, false);
  await clock.advance(51);
  assert.equal((await channel.reply(TARGET)).errno, EINTR);
  assert.equal(read.signal.aborted, true);
  assert.equal(read.fixture.session.inFlight, 0);
});

Deno.test("Session drops the answer that comes after EINTR and gives back its bytes", async () => {
  await using read = await reading();
  const { channel, clock } = read.fixture;
  channel.push(interrupt(TARGET));
  await clock.advance(1_100);
  read.answer();
  await clock.settle();
  assert.equal(channel.replies.filter(({ unique }) => unique === TARGET).length, 1);
  assert.equal(read.released(), 1);
});

Deno.test("Session gives an interrupted caller bytes that come within the second", async () => {
  await using read = await reading();
  const { channel, clock } = read.fixture;
  channel.push(interrupt(TARGET));
  await clock.advance(500);
  read.answer();
  assert.equal((await channel.reply(TARGET)).errno, 0);
  await clock.advance(10_000);
  assert.equal(read.signal.aborted, false);
  assert.equal(clock.sleeping, 0);
});

Deno.test("Session lets a caller that is being killed go at once", async () => {
  await using read = await reading();
  read.fixture.killed.add(CALLER.pid);
  read.fixture.channel.push(interrupt(TARGET));
  assert.equal((await read.fixture.channel.reply(TARGET)).errno, EINTR);
  assert.equal(read.fixture.clock.wallMs(), 0);
});

Deno.test("Session notices within 50 ms that an interrupted caller is killed", async () => {
  await using read = await reading();
  read.fixture.channel.push(interrupt(TARGET));
  await read.fixture.clock.advance(120);
  read.fixture.killed.add(CALLER.pid);
  await read.fixture.clock.advance(50);
  assert.equal((await read.fixture.channel.reply(TARGET)).errno, EINTR);
});

Deno.test("Session ignores interrupts of unknown requests, and repeated ones", async () => {
  await using read = await reading();
  const { channel, clock } = read.fixture;
  channel.push(interrupt(4242), interrupt(TARGET), interrupt(TARGET));
  await clock.advance(900);
  channel.push(interrupt(TARGET));
  await clock.advance(150);
  assert.equal((await channel.reply(TARGET)).errno, EINTR);
  channel.push(interrupt(TARGET));
  await clock.advance(2_000);
  assert.equal(channel.replies.length, 2);
});

Deno.test("Session that ends waits for no interrupted caller's second", async () => {
  const read = await reading();
  read.fixture.channel.push(interrupt(TARGET));
  await read.fixture.clock.advance(10);
  await read[Symbol.asyncDispose]();
  assert.equal(read.fixture.clock.sleeping, 0);
});
