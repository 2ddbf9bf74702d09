import assert from "node:assert/strict";
import { BufferPool } from "./buffer_pool.ts";

const never = new AbortController().signal;

Deno.test("BufferPool lends the length asked for, and the same memory again", async () => {
  const pool = new BufferPool("p", 1 << 20, 2, 10);
  const first = await pool.lend(5_000, never);
  assert.equal(first.bytes.length, 5_000);
  assert.equal(first.bytes.buffer.byteLength, 8_192);
  first.release();
  const second = await pool.lend(8_192, never);
  assert.equal(second.bytes.buffer, first.bytes.buffer);
  second.release();
});

Deno.test("BufferPool lends the smallest and the largest there is, and no larger one", async () => {
  const pool = new BufferPool("p", 1 << 20, 3, 10);
  for (const [length, bytes] of [[0, 4_096], [1, 4_096], [1 << 20, 1 << 20]] as const) {
    const lease = await pool.lend(length, never);
    assert.deepEqual([lease.bytes.length, lease.bytes.buffer.byteLength], [length, bytes]);
    lease.release();
  }
  await assert.rejects(pool.lend((1 << 20) + 1, never), /within the pool's size/);
});

Deno.test("BufferPool lends no memory twice at once: callers wait for its return", async () => {
  const pool = new BufferPool("p", 4_096, 2, 1);
  const [first, second] = await Promise.all([pool.lend(10, never), pool.lend(10, never)]);
  assert.notEqual(first.bytes.buffer, second.bytes.buffer);
  const waiting = pool.lend(10, never);
  await assert.rejects(pool.lend(10, never), /waiters already/);
  second.release();
  assert.equal((await waiting).bytes.buffer, second.bytes.buffer);
  assert.throws(() => second.release(), /released once/);
});
