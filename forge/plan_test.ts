import assert from "node:assert/strict";
import { systemClock } from "../cache/platform/clock.ts";
import { collectedLog } from "../tests/support/collected_log.ts";
import { eventually } from "../tests/support/eventually.ts";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { OrderPlan } from "./plan.ts";
import { shardOrder } from "./train/shard_order.ts";
import type { Root } from "./train/shards.ts";

const SHARDS = 200;
const ENCODER = new TextEncoder();

/** What a test lets the mount answer: to a new plan, and to more of it. */
interface Answers {
  begin(): Response | Promise<Response>;
  append(): Response;
}

/** A root that lies on a mount which notes what it is told, and answers as the test says. */
class FakeMount implements AsyncDisposable {
  /** Files of each call, in order. */
  readonly told: string[][] = [];
  readonly root: Root;
  readonly #server: Deno.HttpServer;
  readonly #directory: string;

  static async start(answers: Answers): Promise<FakeMount> {
    const directory = await Deno.realPath(await Deno.makeTempDir({ prefix: "warpdrive-plan-" }));
    await Deno.mkdir(`${directory}/backend/train`, { recursive: true });
    return new FakeMount(directory, answers);
  }

  private constructor(directory: string, answers: Answers) {
    this.#directory = directory;
    const path = `${directory}/backend/train`;
    const shards = Array.from({ length: SHARDS }, (_, index) => {
      const name = `shard-${String(index).padStart(6, "0")}.tar`;
      return { path: `${path}/${name}`, name, sizeBytes: 100 };
    });
    this.root = { label: "a", path, shards };
    this.#server = Deno.serve({ path: `${directory}/socket`, onListen() {} }, async (request) => {
      const body = await request.json();
      this.told.push(body.items);
      return new URL(request.url).pathname === "/v1/plans" ? answers.begin() : answers.append();
    });
  }

  /** Answers as the root of a mount does. */
  get libc() {
    return {
      attributeLater: (path: string, name: string) => {
        assert.equal(name, "user.warpdrive.socket");
        const value = path === this.#directory ? `${path}/socket` : null;
        return Promise.resolve(value === null ? null : ENCODER.encode(value));
      },
    };
  }

  /** The shards of `epochs` epochs as they are read. */
  files(epochs: number): string[] {
    const order = shardOrder([this.root], 42);
    return Array.from(
      { length: epochs * SHARDS },
      () => `backend/train/${order.next().value.name}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

const TAKEN = { version: 1, plan: "7", end: 1, unresolved_count: 0, unresolved: [] };

function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status });
}

/** The answer to a new plan: open until `end` resolves. */
function begun(end: Promise<void>, taken: Readonly<Record<string, unknown>> = TAKEN): Response {
  return new Response(
    new ReadableStream({
      async start(controller) {
        controller.enqueue(ENCODER.encode(`${JSON.stringify({ event: "begun", ...taken })}\n`));
        await end;
        // It may have been cancelled meanwhile.
        try {
          controller.close();
        } catch {
          // Then there is nothing left to end.
        }
      },
    }),
  );
}

const FOREVER = Promise.withResolvers<void>().promise;

/** A run of two epochs of 10 samples a shard, over `mount`. */
function runOver(mount: FakeMount) {
  return { roots: [mount.root], seed: 42, samples: 2 * SHARDS * 10, readAheadBytes: 1_000 };
}

Deno.test("OrderPlan tells the whole order in pieces, ahead of the reader", async () => {
  await using mount = await FakeMount.start({
    begin: () => begun(FOREVER),
    append: () => json(TAKEN),
  });
  const { logger, records } = collectedLog();
  const deps = { libc: mount.libc, clock: systemClock, logger };
  {
    await using plan = await OrderPlan.begin(runOver(mount), deps);
    assert.deepEqual(mount.told, [mount.files(1).slice(0, 10)]);
    for (let shard = 0; shard < 2 * SHARDS; shard += 1) plan.consumed(10);
    await eventually("all is told", () => Promise.resolve(mount.told.flat().length >= 2 * SHARDS));
  }
  assert.deepEqual(mount.told.flat(), mount.files(2));
  assert.ok(mount.told.length <= 4, String(mount.told.length));
  assert.deepEqual(records.filter(({ level }) => level !== "debug"), []);
});

Deno.test("OrderPlan warns once when the mount refuses it, and asks no more", async () => {
  const error = { code: "unavailable", message: "Begin a plan: there is no cache", hint: null };
  await using mount = await FakeMount.start({
    begin: () => json({ version: 1, error }, 503),
    append: () => json(TAKEN),
  });
  const { logger, records } = collectedLog();
  const deps = { libc: mount.libc, clock: systemClock, logger };
  await using plan = await OrderPlan.begin(runOver(mount), deps);
  for (let shard = 0; shard < SHARDS; shard += 1) plan.consumed(10);
  assert.equal(mount.told.length, 1);
  assert.deepEqual(records.map(({ level, error }) => [level, error]), [
    ["warn", "Begin a plan: there is no cache"],
  ]);
});

Deno.test("OrderPlan warns once when the mount goes away in the middle of a run", async () => {
  const end = Promise.withResolvers<void>();
  await using mount = await FakeMount.start({
    begin: () => begun(end.promise),
    append: () => json(TAKEN),
  });
  const { logger, records } = collectedLog();
  const deps = { libc: mount.libc, clock: systemClock, logger };
  await using plan = await OrderPlan.begin(runOver(mount), deps);
  end.resolve();
  const warnings = () => records.filter(({ level }) => level === "warn");
  await eventually("it warns", () => Promise.resolve(warnings().length > 0));
  for (let shard = 0; shard < SHARDS; shard += 1) plan.consumed(10);
  assert.equal(mount.told.length, 1);
  assert.equal(warnings().length, 1);
});

Deno.test("OrderPlan does not wait for a mount that does not answer", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using mount = await FakeMount.start({ begin: () => promise, append: () => json(TAKEN) });
  const { logger, records } = collectedLog();
  const clock = new FakeClock();
  const beginning = OrderPlan.begin(runOver(mount), { libc: mount.libc, clock, logger });
  await eventually("the mount is asked", () => Promise.resolve(mount.told.length > 0));
  await clock.advance(10_000);
  await using _plan = await beginning;
  assert.match(String(records[0]?.["error"]), /no answer in 10s/);
  resolve(json(TAKEN));
});

Deno.test("OrderPlan warns of shards that the mount does not know", async () => {
  const unresolved = [{ path: "x.tar", reason: "no backend is mounted there" }];
  await using mount = await FakeMount.start({
    begin: () => begun(FOREVER, { ...TAKEN, unresolved_count: 3, unresolved }),
    append: () => json(TAKEN),
  });
  const { logger, records } = collectedLog();
  const deps = { libc: mount.libc, clock: systemClock, logger };
  await using _plan = await OrderPlan.begin(runOver(mount), deps);
  const [warning] = records;
  assert.deepEqual([warning?.["level"], warning?.["count"]], ["warn", 3]);
});

Deno.test("OrderPlan does nothing where there is no mount", async () => {
  const { logger, records } = collectedLog();
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-plan-" });
  try {
    const shards = [{ path: `${directory}/shard-000000.tar`, name: "x", sizeBytes: 1 }];
    const libc = { attributeLater: () => Promise.resolve(null) };
    await using plan = await OrderPlan.begin(
      { roots: [{ label: "a", path: directory, shards }], seed: 1, samples: 9, readAheadBytes: 9 },
      { libc, clock: systemClock, logger },
    );
    plan.consumed(10);
    assert.deepEqual(records, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
