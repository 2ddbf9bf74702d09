/** What a backend makes of failing networks and services. */
import assert from "node:assert/strict";
import type { Backend } from "../../cache/backend/backend.ts";
import { bytesOf, failsWith, never, patternOf, put, read } from "../support/backend_calls.ts";
import { CLOSED_PORT } from "../support/free_port.ts";
import { stacked, UNCOUNTED } from "../support/stacked.ts";
import type { TestedStore } from "../stores/tested_store.ts";
import type { Case } from "./case.ts";

const BYTES = patternOf(500_000, 1);
/** Where answers break off that do. */
const BREAK_BYTES = 200_000;

/** Stores the object past the proxy, without deadlines; its version. */
async function seed({ open, place, endpoint }: TestedStore, seed = 1): Promise<string> {
  await using direct = open({ ...place, endpoint });
  return (await put(direct, "object", patternOf(BYTES.length, seed))).version;
}

/** The backend by way of the proxy, as a mount uses it. */
function mounted({ open, place }: TestedStore, timeoutMs: number, metrics = UNCOUNTED) {
  return stacked(open(place), timeoutMs, metrics);
}

function readAll(backend: Backend, version: string): Promise<Uint8Array<ArrayBuffer>> {
  return read(backend, "object", version, 0, BYTES.length);
}

/** A read of all of `version`, and what of it was said to be there. */
function watchedRead(version: string, onFilled: () => void = () => {}) {
  const target = new Uint8Array(BYTES.length);
  const watched = {
    ...{ path: "object", version, offset: 0, target, filledBytes: 0 },
    onFilled(filled: number) {
      watched.filledBytes = filled;
      onFilled();
    },
    /** Checks that what was said to be there is. */
    check() {
      const { filledBytes } = watched;
      assert.deepEqual(target.subarray(0, filledBytes), BYTES.subarray(0, filledBytes));
    },
  };
  return watched;
}

/** A body that ends early, in each way there is. */
function brokenOff(kind: "cut" | "reset"): Case<TestedStore> {
  return [`reports a body that is ${kind} short`, [], async (store) => {
    const { proxy, isRead } = store;
    const version = await seed(store);
    await using backend = store.open(store.place);
    proxy.inject({ kind, afterBytes: BREAK_BYTES }, Infinity, isRead);
    const reading = watchedRead(version);
    const error = await failsWith("unavailable", backend.read(reading, never));
    assert.match(error.message, /broke off|was reset/);
    assert.ok(reading.filledBytes <= BREAK_BYTES);
    reading.check();
  }];
}

/** The cases; each finds the proxy healed. */
export const FAULT_CASES: readonly Case<TestedStore>[] = [
  ["tells apart the ways in which there is no answer", [], async ({ open, place, proxy }) => {
    const ways: [origin: string, message: RegExp][] = [
      [`http://127.0.0.1:${CLOSED_PORT}`, /connection refused by 127\.0\.0\.1/],
      ["http://store.invalid", /name of store\.invalid cannot be resolved/],
    ];
    for (const [origin, message] of ways) {
      await using backend = open({
        ...place,
        endpoint: place.endpoint.replace(proxy.origin, origin),
      });
      for (
        const operation of [
          () => backend.list("", null, never),
          () => backend.stat("object", never),
          () => read(backend, "object", "1", 0, 1),
        ]
      ) {
        const error = await failsWith("unavailable", operation());
        assert.match(error.message, message);
        assert.ok(error.hint);
      }
    }
  }],

  ["sees that something else answers in place of the service", [], async (store) => {
    const { proxy, stranger } = store;
    await using backend = store.open(store.place);
    const body = "<html><body>Please log in</body></html>";
    const answers = [
      { status: 200, headers: { "content-type": "text/html" }, body },
      { status: 200, headers: { "content-type": "application/json" }, body: "{}" },
      { status: 302, headers: { location: "http://login/" }, body },
    ];
    for (const answer of answers) {
      proxy.inject({ kind: "answer", ...answer });
      for (
        const operation of [
          () => backend.list("", null, never),
          () => backend.stat("object", never),
          () => read(backend, "object", "1", 0, 1),
          () => put(backend, "object", bytesOf("x")),
        ]
      ) assert.match((await failsWith("unavailable", operation())).message, stranger);
    }
  }],

  ["passes on that it should slow down, and for how long", [], async (store) => {
    const { proxy, busy } = store;
    await using backend = store.open(store.place);
    for (const { status, headers, body, said } of busy) {
      const retry = { ...headers, "retry-after": "3" };
      proxy.inject({ kind: "answer", status, headers: retry, body });
      for (
        const operation of [
          () => backend.list("", null, never),
          () => read(backend, "object", "1", 0, 1),
          () => put(backend, "object", bytesOf("x")),
        ]
      ) {
        proxy.seen.length = 0;
        const error = await failsWith("throttled", operation());
        assert.equal(error.retryAfterMs, 3_000);
        assert.match(error.message, said);
        assert.equal(proxy.seen.length, 1, "only the decorator tries again");
      }
    }
  }],

  brokenOff("cut"),
  brokenOff("reset"),

  ["goes on, when mounted, with a read whose connection broke off", [], async (store) => {
    const { proxy, isRead, isOf } = store;
    let arrived = 0;
    const bytesRead = (_backend: string, bytes: number) => {
      arrived += bytes;
    };
    const version = await seed(store);
    await using backend = mounted(store, 30_000, { ...UNCOUNTED, bytesRead }).backend;
    proxy.inject({ kind: "cut", afterBytes: BREAK_BYTES }, 1, isRead);
    assert.deepEqual(await readAll(backend, version), BYTES);
    const ranges = proxy.seen.map(({ headers }) => headers.get("range"));
    assert.deepEqual(ranges, ["bytes=0-499999", `bytes=${BREAK_BYTES}-499999`]);
    for (const request of proxy.seen) assert.ok(isOf(version, request), request.request);
    assert.equal(arrived, BYTES.length, "no byte is fetched twice");
  }],

  ["does not go on, when mounted, with another version", [], async (store) => {
    const { proxy, isRead } = store;
    const version = await seed(store);
    await using backend = mounted(store, 30_000).backend;
    proxy.inject({ kind: "cut", afterBytes: BREAK_BYTES }, 1, isRead);
    let overwriting: Promise<unknown> | null = null;
    const reading = watchedRead(version, () => {
      overwriting ??= seed(store, 4);
    });
    const failure: unknown = await backend.read(reading, never).then(() => null, (error) => error);
    await overwriting;
    reading.check();
    if (failure === null) assert.equal(reading.filledBytes, BYTES.length);
    await failsWith("changed", readAll(backend, version));
  }],

  ["tries again, when mounted, after 503 with Retry-After", [], async (store) => {
    const { proxy, isRead } = store;
    const version = await seed(store);
    await using backend = mounted(store, 30_000).backend;
    const headers = { "retry-after": "0" };
    proxy.inject({ kind: "answer", status: 503, headers, body: "" }, 2, isRead);
    assert.deepEqual(await readAll(backend, version), BYTES);
  }],

  ["takes up, when mounted, a stalled read on another connection", [], async (store) => {
    const { proxy, isRead } = store;
    const version = await seed(store);
    await using backend = mounted(store, 3_000).backend;
    proxy.inject({ kind: "stall", afterBytes: 100_000 }, 1, isRead);
    assert.deepEqual(await readAll(backend, version), BYTES);
  }],

  ["fails, when mounted, a read that stays stalled with timeout", [], async (store) => {
    const { proxy, isRead } = store;
    const version = await seed(store);
    await using backend = mounted(store, 600).backend;
    proxy.inject({ kind: "stall", afterBytes: 0 }, Infinity, isRead);
    const error = await failsWith("timeout", readAll(backend, version));
    assert.match(error.message, /no progress for/);
  }],

  ["degrades, when mounted, while the store is down, and recovers", [], async (store) => {
    const { proxy } = store;
    await seed(store);
    const { backend, health } = mounted(store, 30_000);
    await using _closing = backend;
    proxy.refuse();
    for (let round = 0; round < 3; round += 1) {
      await failsWith("unavailable", backend.stat("object", never));
    }
    assert.equal(health.state.state, "degraded");
    await failsWith("degraded", backend.stat("object", never));
    await proxy.accept();
    await health.check(never);
    assert.equal(health.state.state, "healthy");
    assert.equal((await backend.stat("object", never))?.kind, "object");
  }],

  ["asks by way of the proxy it is told, whatever it asks", ["own_way"], async (store) => {
    const { proxy, open, place, endpoint } = store;
    // To a proxy, the first line of a request has the whole URL: this one passes it on as it is.
    await using backend = open({ ...place, endpoint, proxy: proxy.origin });
    const { version } = await put(backend, "object", BYTES);
    await backend.stat("object", never);
    assert.deepEqual(await readAll(backend, version), BYTES);
    assert.ok(proxy.seen.length >= 3);
  }],

  ["names who pays in each of its requests", ["payers"], async ({ proxy, open, place, isPaid }) => {
    await using backend = open({ ...place, paying: true });
    const { version } = await put(backend, "object", BYTES);
    await put(backend, "large", patternOf(9 * 1024 * 1024, 3));
    await backend.list("", null, never);
    await backend.stat("object", never);
    await readAll(backend, version);
    await backend.copy("object", "copied", never);
    await backend.remove("copied", never);
    for (const request of proxy.seen) assert.ok(isPaid(request), request.request);
    assert.ok(proxy.seen.length >= 10);
  }],
];
