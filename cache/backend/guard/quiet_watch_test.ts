import { deepEqual, equal } from "node:assert/strict";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { QuietWatch } from "./quiet_watch.ts";

function watching() {
  const clock = new FakeClock();
  const watch = new QuietWatch(clock);
  const rung: string[] = [];
  const start = (name: string, quietMs: number, answer: "watch on" | "done" = "done") =>
    watch.start(quietMs, () => {
      rung.push(`${name} at ${clock.monotonicMs()}`);
      return answer;
    });
  return { clock, watch, rung, start };
}

Deno.test("QuietWatch tells of an operation that makes no progress, and only of that", async () => {
  const { clock, rung, start } = watching();
  using _quiet = start("quiet", 100);
  using moving = start("moving", 100);
  for (let step = 0; step < 10; step += 1) {
    await clock.advance(60);
    moving.moved();
  }
  deepEqual(rung, ["quiet at 100"]);
});

Deno.test("QuietWatch has one timer for all, and none when nothing is watched", async () => {
  const { clock, start } = watching();
  const all = Array.from({ length: 10 }, (_, index) => start(`${index}`, 100 + index));
  equal(clock.sleeping, 1);
  for (const watched of all) watched[Symbol.dispose]();
  equal(clock.sleeping, 0);
  await clock.advance(1_000);
});

Deno.test("QuietWatch rings earlier for one that is due earlier than all others", async () => {
  const { clock, rung, start } = watching();
  using _slow = start("slow", 1_000);
  await clock.advance(10);
  using _fast = start("fast", 50);
  await clock.advance(2_000);
  deepEqual(rung, ["fast at 60", "slow at 1000"]);
  equal(clock.sleeping, 0);
});

Deno.test("QuietWatch tells again after as long when it is asked to", async () => {
  const { clock, rung, start } = watching();
  using _watched = start("a", 100, "watch on");
  await clock.advance(350);
  deepEqual(rung, ["a at 100", "a at 200", "a at 300"]);
});

Deno.test("QuietWatch takes what waited for our own event loop for progress", async () => {
  const { clock, watch, rung, start } = watching();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    if (ms === 0) watched.moved();
    return sleep(ms, signal);
  };
  using watched = start("a", 100);
  await clock.advance(150);
  deepEqual(rung, []);
  equal(watch instanceof QuietWatch, true);
});

Deno.test("QuietWatch lets an operation end while it judges another", async () => {
  const { clock, watch, rung, start } = watching();
  const other = start("other", 100);
  using _first = watch.start(50, () => {
    other[Symbol.dispose]();
    return "done";
  });
  await clock.advance(1_000);
  deepEqual(rung, []);
  equal(clock.sleeping, 0);
});
