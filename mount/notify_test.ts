import { deepEqual, equal, rejects } from "node:assert/strict";
import type { Clock } from "../cache/platform/clock.ts";
import { createLogger, silentLogger } from "../cache/platform/log.ts";
import { notifySettings, ServiceNotifier } from "./notify.ts";

function environment(variables: Readonly<Record<string, string>>) {
  return { get: (name: string) => variables[name] };
}

/** A clock whose pauses end at once and are recorded; after `pauses` of them it aborts. */
function countdown(pauses: number) {
  const controller = new AbortController();
  const slept: number[] = [];
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    sleep(ms, signal) {
      slept.push(ms);
      if (slept.length >= pauses) controller.abort();
      return signal.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
  return { clock, slept, signal: controller.signal };
}

Deno.test("notifySettings finds no manager without a known NOTIFY_SOCKET", () => {
  equal(notifySettings(environment({}), 1), null);
  equal(notifySettings(environment({ NOTIFY_SOCKET: "" }), 1), null);
  equal(notifySettings(environment({ NOTIFY_SOCKET: "vsock:2:1" }), 1), null);
});

Deno.test("notifySettings takes paths and abstract names", () => {
  for (const socket of ["/run/systemd/notify", "@notify"]) {
    deepEqual(notifySettings(environment({ NOTIFY_SOCKET: socket }), 1), {
      socket,
      heartbeatMs: null,
    });
  }
});

Deno.test("notifySettings beats at half of WATCHDOG_USEC, for the process it names only", () => {
  const variables = { NOTIFY_SOCKET: "@n", WATCHDOG_USEC: "3000000" };
  equal(notifySettings(environment(variables), 7)?.heartbeatMs, 1500);
  equal(notifySettings(environment({ ...variables, WATCHDOG_PID: "7" }), 7)?.heartbeatMs, 1500);
  equal(notifySettings(environment({ ...variables, WATCHDOG_PID: "8" }), 7)?.heartbeatMs, null);
  equal(notifySettings(environment({ ...variables, WATCHDOG_USEC: "x" }), 7)?.heartbeatMs, null);
});

Deno.test("ServiceNotifier sends assignments, one line each", () => {
  const sent: string[] = [];
  const notifier = new ServiceNotifier((message) => sent.push(message), silentLogger);
  notifier.ready("serving 2 backends");
  notifier.status("degraded:\nazure");
  notifier.stopping("unmounting");
  deepEqual(sent, [
    "READY=1\nSTATUS=serving 2 backends",
    "STATUS=degraded: azure",
    "STOPPING=1\nSTATUS=unmounting",
  ]);
});

Deno.test("ServiceNotifier logs a manager that cannot be reached and goes on", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    stacks: false,
    write: (line) => lines.push(line),
    now: () => new Date(0),
  });
  const notifier = new ServiceNotifier(() => {
    throw new Error("Connection refused");
  }, logger);
  notifier.ready("serving");
  equal(lines.length, 1);
});

Deno.test("ServiceNotifier beats while the mount answers and holds back while not", async () => {
  const sent: string[] = [];
  const notifier = new ServiceNotifier((message) => sent.push(message), silentLogger);
  const { clock, slept, signal } = countdown(3);
  const answers = [true, false, true];
  const alive = () => Promise.resolve(answers.shift() ?? true);
  await notifier.beat({ intervalMs: 1500, clock, alive }, signal);
  deepEqual(sent, ["WATCHDOG=1", "WATCHDOG=1"]);
  deepEqual(slept, [1500, 1500, 1500]);
});

Deno.test("ServiceNotifier passes on a fault of the check itself", async () => {
  const notifier = new ServiceNotifier(() => {}, silentLogger);
  const { clock, signal } = countdown(1);
  const alive = () => Promise.reject(new Error("Broken check"));
  await rejects(notifier.beat({ intervalMs: 1, clock, alive }, signal), /Broken check/);
});
