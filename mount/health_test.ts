import { deepEqual, equal, rejects } from "node:assert/strict";
import type { BackendHealth, HealthState } from "../cache/backend/guard/health.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { backendCheck, type Check, HealthMonitor, mountCheck } from "./health.ts";

const NEVER = new AbortController().signal;

/** A clock that stands still until `expire` ends every pause in progress. */
function stoppedClock() {
  const pauses = new Set<() => void>();
  const clock: Clock = {
    wallMs: () => 600_000,
    monotonicMs: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        pauses.add(resolve);
        signal.addEventListener("abort", () => {
          pauses.delete(resolve);
          reject(signal.reason);
        }, { once: true });
      }),
  };
  return { clock, pauses, expire: () => pauses.forEach((resolve) => resolve()) };
}

function well(detail: string): Check {
  return () => Promise.resolve({ status: "ok", detail });
}

Deno.test("HealthMonitor is ok when every check is, and leaves no timer behind", async () => {
  const { clock, pauses } = stoppedClock();
  const monitor = new HealthMonitor(new Map([["a", well("A")], ["b", well("B")]]), 1_000, clock);
  deepEqual(await monitor.report(NEVER), {
    status: "ok",
    checks: {
      a: { status: "ok", detail: "A", latencyMs: 0 },
      b: { status: "ok", detail: "B", latencyMs: 0 },
    },
  });
  equal(pauses.size, 0);
});

Deno.test("HealthMonitor reports why a check rejects, beside the others", async () => {
  const { clock } = stoppedClock();
  const broken: Check = () => Promise.reject(new Error("No such container"));
  const monitor = new HealthMonitor(new Map([["a", broken], ["b", well("B")]]), 1_000, clock);
  const report = await monitor.report(NEVER);
  equal(report.status, "failed");
  equal(report.checks["a"]?.detail, "No such container");
  equal(report.checks["b"]?.status, "ok");
});

Deno.test("HealthMonitor tells a late check to stop and answers without it", async () => {
  const { clock, expire } = stoppedClock();
  let stopped = false;
  const late: Check = (signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        stopped = true;
        reject(signal.reason);
      });
    });
  const monitor = new HealthMonitor(new Map([["a", late]]), 2_000, clock);
  const reporting = monitor.report(NEVER);
  expire();
  equal((await reporting).checks["a"]?.detail, "No answer within 2s");
  equal(stopped, true);
});

Deno.test("HealthMonitor never starts a hanging check twice", async () => {
  const { clock, expire } = stoppedClock();
  let runs = 0;
  let settle = () => {};
  const hanging: Check = () => {
    runs += 1;
    return new Promise((resolve) => settle = () => resolve({ status: "ok", detail: "Back" }));
  };
  const monitor = new HealthMonitor(new Map([["a", hanging]]), 1_000, clock);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const reporting = monitor.report(NEVER);
    expire();
    equal((await reporting).status, "failed");
  }
  equal(runs, 1);
  const reporting = monitor.report(NEVER);
  settle();
  equal((await reporting).status, "ok");
});

Deno.test("HealthMonitor gives up when the one who asked is gone", async () => {
  const { clock, pauses } = stoppedClock();
  const asking = new AbortController();
  const monitor = new HealthMonitor(new Map([["a", () => new Promise(() => {})]]), 1_000, clock);
  const reporting = monitor.report(asking.signal);
  asking.abort(new Error("Client left"));
  await rejects(reporting, /Client left/);
  equal(pauses.size, 0);
});

function backend(state: HealthState, check: () => Promise<void>): BackendHealth {
  return { state, check };
}

Deno.test("backendCheck asks the store of a healthy backend", async () => {
  const { clock } = stoppedClock();
  let asked = 0;
  const health = backend({ state: "healthy", latencyMs: null }, () => {
    asked += 1;
    return Promise.resolve();
  });
  equal((await backendCheck(health, clock)(NEVER)).status, "ok");
  equal(asked, 1);
});

Deno.test("backendCheck says since when and why a backend is degraded", async () => {
  const { clock } = stoppedClock();
  const health = backend({ state: "degraded", sinceMs: 480_000, reason: "refused" }, () => {
    throw new Error("Asked");
  });
  deepEqual(await backendCheck(health, clock)(NEVER), {
    status: "degraded",
    detail: "No answer for 2m: refused",
  });
});

Deno.test("mountCheck tells a mount that answers from a bare directory", async () => {
  const check = (type: number) => mountCheck("/mnt/x", () => Promise.resolve({ type }))(NEVER);
  equal((await check(0x65735546)).status, "ok");
  deepEqual(await check(0xef53), { status: "failed", detail: '"/mnt/x" is not mounted' });
});
