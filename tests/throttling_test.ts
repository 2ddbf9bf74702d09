import { equal } from "node:assert/strict";
import { BackendError } from "../cache/backend/backend.ts";
import { NO_HEDGE_MEMORY } from "../cache/backend/guard/hedged.ts";
import { openRemote } from "../cache/backend/open.ts";
import { Fetch, FetchScheduler } from "../cache/fetch/fetch.ts";
import { FetchBuffers } from "../cache/fetch/fetch_buffers.ts";
import { Libc } from "../cache/platform/libc.ts";
import { silentLogger } from "../cache/platform/log.ts";
import { UNCOUNTED } from "./support/stacked.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { HeldAnswers, WatchedBackend } from "./support/watched_backend.ts";

const KIB = 1024;
const NEVER = new AbortController().signal;

/** Fetches of one object through every decorator, from a store that answers when it is told to. */
function fetching() {
  const clock = new FakeClock();
  const store = new WatchedBackend();
  const { version } = store.seed("a", new Uint8Array(KIB));
  const held = new HeldAnswers();
  store.answering = held.answering;
  const source = { type: "local", root: "/" } as const;
  const settings = {
    name: "store",
    mountPath: "store",
    timeoutMs: 30_000,
    requestsMax: 64,
    source,
  };
  const { backend, limit } = openRemote(store, settings, {
    clock,
    random: () => 0.5,
    logger: silentLogger,
    metrics: UNCOUNTED,
    libc: Libc.open(),
    hedges: NO_HEDGE_MEMORY,
  });
  const buffers = new FetchBuffers(64 * KIB * KIB);
  const scheduler = new FetchScheduler({ backend, buffers, limit, fetchesMax: Infinity });
  const fetches = Array.from({ length: 300 }, () => new Fetch("a", version, 0, KIB, "demand"));
  return { clock, store, held, scheduler, fetches };
}

Deno.test("a store that asks to slow down gets half as much, and more as it recovers", async () => {
  const { clock, store, held, scheduler, fetches } = fetching();
  for (const fetch of fetches) scheduler.submit(fetch);
  await clock.settle();
  const before = held.waiting.length;
  const { answering } = store;
  store.answering = () =>
    Promise.reject(new BackendError("throttled", "store", "read", "a", "503"));
  held.letGo();
  await clock.settle();
  // Those that were started next are told to slow down; all are tried again after a pause.
  store.answering = answering;
  await clock.advance(100);
  held.letGo();
  await clock.settle();
  const few = held.waiting.length;
  // Half, and one more for the round that has succeeded since.
  equal(few > 0 && few <= before / 2 + 1, true, `${few} of ${before}`);
  equal(scheduler.size.running, few);
  let most = few;
  while (scheduler.size.running > 0) {
    most = Math.max(most, held.waiting.length);
    held.letGo();
    await clock.settle();
  }
  equal(most > before, true, `${most} at once at the end`);
  for (const fetch of fetches) {
    await fetch.filledTo(KIB, NEVER);
    scheduler.release(fetch);
  }
});
