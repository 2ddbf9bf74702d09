import { deepEqual, equal, rejects } from "node:assert/strict";
import { z } from "zod";
import { ControlFixture } from "../tests/support/control_fixture.ts";
import { type Access, refused, type Route, route } from "../mount/control/route.ts";
import type { Endpoint } from "./api.ts";
import { ControlClient } from "./client.ts";
import { ControlError } from "./control_error.ts";

const NEVER = new AbortController().signal;
const EVERYONE: Access = { sockets: "both", bodyBytesMax: 1_000 };

const ADD = {
  method: "POST",
  path: "/v1/sums/:name",
  request: z.strictObject({ name: z.string(), terms: z.array(z.number()) }),
  answer: z.object({ name: z.string(), sum: z.number() }),
  form: "single",
} satisfies Endpoint;

const add = route(ADD, EVERYONE, ({ name, terms }) => {
  const body = { name, sum: terms.reduce((sum, term) => sum + term, 0) };
  return Promise.resolve({ kind: "answered", body });
});

const FIND = {
  method: "GET",
  path: "/v1/things",
  request: z.strictObject({ days: z.coerce.number(), tag: z.array(z.string()).optional() }),
  answer: z.object({ days: z.number(), tag: z.array(z.string()).optional() }),
  form: "single",
} satisfies Endpoint;

const find = route(
  FIND,
  EVERYONE,
  (request) => Promise.resolve({ kind: "answered", body: request }),
);

const COUNT = {
  method: "GET",
  path: "/v1/numbers",
  request: z.strictObject({}),
  answer: z.object({ number: z.number() }),
  form: "stream",
} satisfies Endpoint;

function counting(records: (signal: AbortSignal) => AsyncIterable<{ number: number }>): Route {
  return route(
    COUNT,
    EVERYONE,
    (_request, _caller, signal) => Promise.resolve({ kind: "streamed", records: records(signal) }),
  );
}

function clientTest(
  sentence: string,
  routes: readonly Route[],
  body: (client: ControlClient, server: ControlFixture) => Promise<void>,
): void {
  Deno.test(`ControlClient ${sentence}`, async () => {
    await using server = new ControlFixture(routes);
    const client = new ControlClient(server.path("user"));
    await body(client, server);
  });
}

/** Whether an error has this code. */
function withCode(code: string) {
  return (error: unknown) => error instanceof ControlError && error.code === code;
}

clientTest("does a call with a path, a body and an answer", [add], async (client) => {
  const answer = await client.call(ADD, { name: "a/b é", terms: [1, 2] }, NEVER);
  deepEqual(answer, { name: "a/b é", sum: 3 });
});

clientTest("sends the request of a GET as its query", [find], async (client) => {
  const tag = ["a&b", "c"];
  deepEqual(await client.call(FIND, { days: 3, tag }, NEVER), { days: 3, tag });
  deepEqual(await client.call(FIND, { days: 3 }, NEVER), { days: 3 });
});

clientTest("does many calls, some at once", [add], async (client) => {
  for (let round = 0; round < 10; round += 1) {
    const calls = Array.from(
      { length: 20 },
      (_, term) => client.call(ADD, { name: "a", terms: [term, round] }, NEVER),
    );
    const sums = (await Promise.all(calls)).map(({ sum }) => sum);
    deepEqual(sums, Array.from({ length: 20 }, (_, term) => term + round));
  }
});

clientTest("hears why what it sends is too large", [add], async (client) => {
  for (const count of [1_000, 100_000, 1_000_000]) {
    const terms = Array.from({ length: count }, () => 1);
    await rejects(client.call(ADD, { name: "a", terms }, NEVER), withCode("too_large"));
  }
});

clientTest(
  "throws what the mount refuses, with its hint",
  [route(ADD, EVERYONE, () => Promise.resolve(refused("conflict", "Not now", "Wait")))],
  async (client) => {
    await rejects(client.call(ADD, { name: "a", terms: [] }, NEVER), {
      code: "conflict",
      message: "Not now",
      hint: "Wait",
    });
  },
);

clientTest(
  "gives the records of a stream as they come",
  [counting(async function* (signal) {
    yield { number: 1 };
    yield { number: 2 };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  })],
  async (client) => {
    const seen: number[] = [];
    for await (const { number } of client.stream(COUNT, {}, NEVER)) {
      seen.push(number);
      // The mount waits for the client to leave.
      if (number === 2) break;
    }
    deepEqual(seen, [1, 2]);
  },
);

Deno.test("ControlClient ends a call at the mount when its signal aborts", async () => {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using server = new ControlFixture([
    route(ADD, EVERYONE, async (_request, _caller, signal) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.resolve();
      return refused("failed", "Too late");
    }),
  ]);
  const client = new ControlClient(server.path("user"));
  const giveUp = new AbortController();
  const calling = client.call(ADD, { name: "a", terms: [] }, giveUp.signal);
  await begun.promise;
  giveUp.abort(new Error("enough"));
  await rejects(calling, /enough/);
  await ended.promise;
});

clientTest(
  "throws the error that ends a stream",
  [counting(async function* () {
    yield { number: 1 };
    await Promise.reject(Object.assign(new Error("Store is gone"), { hint: "Look" }));
  })],
  async (client) => {
    const records = client.stream(COUNT, {}, NEVER);
    deepEqual((await records.next()).value, { number: 1 });
    await rejects(records.next(), { code: "failed", message: "Store is gone", hint: "Look" });
  },
);

Deno.test("ControlClient says that a mount is of another version", async () => {
  await using server = await Scripted.start(
    'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"version":2}',
  );
  const client = new ControlClient(server.path);
  await rejects(client.call(FIND, { days: 1 }, NEVER), {
    code: "unsupported_version",
    message: /it answers in version 2 of the API, this program speaks 1/,
  });
});

Deno.test("ControlClient tells a stream that broke off from one that ended", async () => {
  await using server = await Scripted.start(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      '19\r\n{"version":1,"number":1}\n\r\n',
  );
  const client = new ControlClient(server.path);
  const records = client.stream(COUNT, {}, NEVER);
  deepEqual((await records.next()).value, { number: 1 });
  await rejects(records.next(), withCode("no_answer"));
});

Deno.test("ControlClient says that something else answers", async () => {
  await using server = await Scripted.start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  const client = new ControlClient(server.path);
  await rejects(client.call(FIND, { days: 1 }, NEVER), withCode("no_answer"));
});

Deno.test("ControlClient says that no mount is there, or that one was", async () => {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    const path = `${directory}/socket`;
    const client = new ControlClient(path);
    await rejects(client.call(FIND, { days: 1 }, NEVER), withCode("no_mount"));
    const listener = Deno.listen({ transport: "unix", path });
    const stale = `${directory}/stale`;
    await Deno.rename(path, stale);
    listener.close();
    const late = new ControlClient(stale);
    await rejects(late.call(FIND, { days: 1 }, NEVER), withCode("no_mount"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** A server that sends the same bytes to its one client, whatever that asks. */
class Scripted implements AsyncDisposable {
  readonly path: string;
  readonly #directory: string;
  readonly #served: Promise<void>;

  private constructor(directory: string, listener: Deno.UnixListener, bytes: Uint8Array) {
    this.path = `${directory}/socket`;
    this.#directory = directory;
    this.#served = serveOnce(listener, bytes);
  }

  static async start(text: string): Promise<Scripted> {
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
    const listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    return new Scripted(directory, listener, new TextEncoder().encode(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served;
    await Deno.remove(this.#directory, { recursive: true });
  }
}

async function serveOnce(listener: Deno.UnixListener, bytes: Uint8Array): Promise<void> {
  const connection = await listener.accept();
  listener.close();
  const request = await connection.read(new Uint8Array(10_000));
  equal(request === null, false);
  await connection.write(bytes);
  connection.close();
}
