import { deepEqual, equal } from "node:assert/strict";
import { Interruption } from "./cli.ts";
import { listenForInterrupts, stopSignals } from "./interrupts.ts";

/** Sends `signal` to this process and waits until its listeners have run. */
async function raise(signal: Deno.Signal): Promise<void> {
  const heard = Promise.withResolvers<void>();
  const listener = () => heard.resolve();
  Deno.addSignalListener(signal, listener);
  // Waiting for a signal alone does not keep the event loop alive.
  const alive = setInterval(() => {}, 1_000);
  try {
    Deno.kill(Deno.pid, signal);
    await heard.promise;
  } finally {
    clearInterval(alive);
    Deno.removeSignalListener(signal, listener);
  }
}

Deno.test("listenForInterrupts asks to stop, then to stop now, then gives up", async () => {
  let givenUp = 0;
  // SIGUSR2 stands in for SIGTERM, which would end the test run should the listener be missing.
  using interrupts = listenForInterrupts(["SIGUSR2"], () => givenUp += 1);
  const states = () => [interrupts.signal.aborted, interrupts.forceSignal.aborted, givenUp];
  deepEqual(states(), [false, false, 0]);
  await raise("SIGUSR2");
  deepEqual(states(), [true, false, 0]);
  equal(interrupts.signal.reason instanceof Interruption, true);
  equal(interrupts.signal.reason.message, "Stopped by SIGUSR2");
  await raise("SIGUSR2");
  deepEqual(states(), [true, true, 0]);
  await raise("SIGUSR2");
  deepEqual(states(), [true, true, 1]);
});

Deno.test("stopSignals leaves SIGHUP alone where nohup has it ignored", () => {
  deepEqual(stopSignals("SigIgn:\t0000000000001000\n"), ["SIGINT", "SIGTERM", "SIGHUP"]);
  deepEqual(stopSignals("SigIgn:\t0000000000001001\n"), ["SIGINT", "SIGTERM"]);
  deepEqual(stopSignals(""), ["SIGINT", "SIGTERM", "SIGHUP"]);
});
