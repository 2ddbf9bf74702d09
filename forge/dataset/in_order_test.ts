import { deepEqual, equal, rejects } from "node:assert/strict";
import { mapInOrder } from "./in_order.ts";

const never = new AbortController().signal;

/** Tasks that end when they are told to. */
class Gates {
  readonly #gates = new Map<number, PromiseWithResolvers<string>>();
  readonly begun: number[] = [];
  readonly signals: AbortSignal[] = [];

  readonly task = (item: number, signal: AbortSignal): Promise<string> => {
    this.begun.push(item);
    this.signals.push(signal);
    const gate = Promise.withResolvers<string>();
    signal.addEventListener("abort", () => gate.reject(signal.reason), { once: true });
    this.#gates.set(item, gate);
    return gate.promise;
  };

  open(item: number): void {
    this.#gates.get(item)?.resolve(`done ${item}`);
  }

  fail(item: number): void {
    this.#gates.get(item)?.reject(new Error(`failed ${item}`));
  }
}

Deno.test("mapInOrder hands results on in order, with no more begun than allowed", async () => {
  const gates = new Gates();
  const results = mapInOrder([0, 1, 2, 3], 2, never, gates.task);
  const first = results.next();
  deepEqual(gates.begun, [0, 1]);
  gates.open(1);
  gates.open(0);
  equal((await first).value, "done 0");
  equal((await results.next()).value, "done 1");
  const third = results.next();
  gates.open(2);
  equal((await third).value, "done 2");
  deepEqual(gates.begun, [0, 1, 2, 3]);
  gates.open(3);
  equal((await results.next()).value, "done 3");
  equal((await results.next()).done, true);
});

Deno.test("mapInOrder ends with the first failure, out of turn too, and stops all", async () => {
  const gates = new Gates();
  const first = mapInOrder([0, 1, 2], 3, never, gates.task).next();
  gates.fail(2);
  await rejects(first, /failed 2/);
  equal(gates.signals.every((signal) => signal.aborted), true);
});

Deno.test("mapInOrder ends with the reason of its signal", async () => {
  const controller = new AbortController();
  const gates = new Gates();
  const first = mapInOrder([0, 1], 2, controller.signal, gates.task).next();
  controller.abort(new Error("Stopped by SIGINT"));
  await rejects(first, /Stopped by SIGINT/);
});

Deno.test("mapInOrder stops what is begun when nobody wants more", async () => {
  const gates = new Gates();
  for await (
    const result of mapInOrder([0, 1], 2, never, (item, signal) => {
      const running = gates.task(item, signal);
      gates.open(0);
      return running;
    })
  ) {
    equal(result, "done 0");
    break;
  }
  equal(gates.signals[1]?.aborted, true);
});
