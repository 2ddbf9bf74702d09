import { deepEqual, equal, rejects } from "node:assert/strict";
import { BoundedQueue } from "./bounded_queue.ts";

const NEVER = new AbortController().signal;

async function drained(queue: BoundedQueue<number>): Promise<number[]> {
  const items: number[] = [];
  for (let item = await queue.take(NEVER); item !== null; item = await queue.take(NEVER)) {
    items.push(item);
  }
  return items;
}

Deno.test("Who is ahead waits, and everything arrives in order", async () => {
  const queue = new BoundedQueue<number>(3);
  let pushed = 0;
  const pushing = (async () => {
    for (; pushed < 20; pushed += 1) await queue.push(pushed, NEVER);
    queue.close();
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  equal(pushed, 3);
  deepEqual(await drained(queue), Array.from({ length: 20 }, (_, index) => index));
  await pushing;
});

Deno.test("Each item goes to one of those who wait", async () => {
  const queue = new BoundedQueue<number>(3);
  const takers = [drained(queue), drained(queue), drained(queue)];
  for (let item = 0; item < 30; item += 1) await queue.push(item, NEVER);
  queue.close();
  const taken = (await Promise.all(takers)).flat().sort((left, right) => left - right);
  deepEqual(taken, Array.from({ length: 30 }, (_, index) => index));
});

Deno.test("What is dropped is not taken, and who waits with more is told", async () => {
  const queue = new BoundedQueue<number>(1);
  equal(await queue.push(1, NEVER), true);
  const late = queue.push(2, NEVER);
  queue.drop();
  equal(await late, false);
  deepEqual(await drained(queue), []);
});

Deno.test("Waiting ends with its signal", async () => {
  const queue = new BoundedQueue<number>(1);
  const left = new AbortController();
  const taking = queue.take(left.signal);
  await queue.push(1, NEVER);
  equal(await taking, 1);
  await queue.push(2, NEVER);
  const pushing = queue.push(3, left.signal);
  left.abort(new Error("gone"));
  await rejects(pushing, /gone/);
});
