import { equal, rejects } from "node:assert/strict";
import { BackendError, type BackendErrorCode } from "../../cache/backend/backend.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { OutagePatience } from "./outage_patience.ts";

const NEVER = new AbortController().signal;

function failing(code: BackendErrorCode, counter: { tries: number }): () => Promise<never> {
  return () => {
    counter.tries += 1;
    return Promise.reject(new BackendError(code, "a", "read", "x", "nobody is there"));
  };
}

Deno.test("A store that does not answer is asked again until it does", async () => {
  const clock = new FakeClock();
  const patience = new OutagePatience(clock);
  let isDown = true;
  const down = failing("unavailable", { tries: 0 });
  const running = patience.run("a", () => isDown ? down() : Promise.resolve("bytes"), NEVER);
  await clock.advance(60_000);
  equal(patience.waitingFor, 'Cannot read "x" of backend "a": nobody is there');
  isDown = false;
  await clock.advance(2_000);
  equal(await running, "bytes");
  equal(patience.waitingFor, null);
});

Deno.test("A store that stays silent fails in the end, and from then on at once", async () => {
  const clock = new FakeClock();
  const patience = new OutagePatience(clock);
  const counter = { tries: 0 };
  const first = rejects(patience.run("a", failing("timeout", counter), NEVER), /nobody is there/);
  await clock.advance(300_000);
  await first;
  const before = counter.tries;
  await rejects(patience.run("a", failing("degraded", counter), NEVER), /nobody is there/);
  equal(counter.tries, before + 1);
  equal(await patience.run("b", () => Promise.resolve("other"), NEVER), "other");
});

Deno.test("A refusal is an answer, and is not waited for", async () => {
  const clock = new FakeClock();
  const counter = { tries: 0 };
  await rejects(new OutagePatience(clock).run("a", failing("denied", counter), NEVER));
  equal(counter.tries, 1);
});

Deno.test("Waiting for a store ends with the job", async () => {
  const clock = new FakeClock();
  const ended = new AbortController();
  const attempt = failing("unavailable", { tries: 0 });
  const running = rejects(new OutagePatience(clock).run("a", attempt, ended.signal), /cancelled/);
  await clock.advance(10_000);
  ended.abort(new Error("cancelled"));
  await running;
});
