import assert from "node:assert/strict";
import { QueueFullError, Semaphore, TaskGroup } from "./limit.ts";

const never = new AbortController().signal;

Deno.test("Semaphore admits as many as it has permits, then in the order they came", async () => {
  const semaphore = new Semaphore("s", 2, 10);
  const order: number[] = [];
  const enter = async (number: number) => {
    const permit = await semaphore.acquire(never);
    order.push(number);
    return permit;
  };
  const first = await enter(1);
  const second = await enter(2);
  const waiting = [enter(3), enter(4)];
  assert.equal(semaphore.waiting, 2);
  second[Symbol.dispose]();
  const third = await waiting[0];
  assert.deepEqual(order, [1, 2, 3]);
  first[Symbol.dispose]();
  const fourth = await waiting[1];
  assert.deepEqual(order, [1, 2, 3, 4]);
  third?.[Symbol.dispose]();
  fourth?.[Symbol.dispose]();
  for (const permit of [await enter(5), await enter(6)]) permit[Symbol.dispose]();
});

Deno.test("Semaphore refuses those its queue has no room for", async () => {
  const semaphore = new Semaphore("disk reads", 1, 1);
  const held = await semaphore.acquire(never);
  const waiting = semaphore.acquire(never);
  await assert.rejects(semaphore.acquire(never), QueueFullError);
  held[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});

Deno.test("Semaphore lets those who give up leave, and nobody waits behind them", async () => {
  const semaphore = new Semaphore("s", 1, 10);
  const held = await semaphore.acquire(never);
  const leaving = new AbortController();
  const left = semaphore.acquire(leaving.signal);
  const waiting = semaphore.acquire(never);
  leaving.abort();
  await assert.rejects(left, { name: "AbortError" });
  assert.equal(semaphore.waiting, 1);
  held[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
  await assert.rejects(semaphore.acquire(leaving.signal), { name: "AbortError" });
});

Deno.test("Semaphore keeps the permit of one whose signal aborts too late", async () => {
  const semaphore = new Semaphore("s", 1, 10);
  const held = await semaphore.acquire(never);
  const late = new AbortController();
  const waiting = semaphore.acquire(late.signal);
  held[Symbol.dispose]();
  late.abort();
  (await waiting)[Symbol.dispose]();
  (await semaphore.acquire(never))[Symbol.dispose]();
});

Deno.test("Semaphore gives a permit at once if one is free, and never past who waits", async () => {
  const semaphore = new Semaphore("s", 1, 10);
  const first = semaphore.tryAcquire();
  assert.equal(semaphore.tryAcquire(), null);
  const waiting = semaphore.acquire(never);
  first?.[Symbol.dispose]();
  assert.equal(semaphore.tryAcquire(), null);
  (await waiting)[Symbol.dispose]();
  assert.notEqual(semaphore.tryAcquire(), null);
});

Deno.test("Semaphore takes a permit back once", async () => {
  const permit = await new Semaphore("s", 1, 1).acquire(never);
  permit[Symbol.dispose]();
  assert.throws(() => permit[Symbol.dispose](), /given back once/);
});

Deno.test("TaskGroup waits for all tasks, those that tasks add included", async () => {
  const group = new TaskGroup(() => assert.fail("Nothing fails"));
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  group.add(first.promise.then(() => group.add(second.promise)));
  assert.equal(group.size, 1);
  let settled = false;
  const waiting = group.settled().then(() => {
    settled = true;
  });
  first.resolve();
  await first.promise;
  assert.equal(settled, false);
  second.resolve();
  await waiting;
  assert.equal(group.size, 0);
});

Deno.test("TaskGroup hands failures on and goes on", async () => {
  const failures: unknown[] = [];
  const group = new TaskGroup((error) => failures.push(error));
  group.add(Promise.reject(new Error("First")));
  group.add(Promise.resolve());
  await group.settled();
  assert.deepEqual(failures, [new Error("First")]);
});
