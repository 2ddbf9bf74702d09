import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { z } from "zod";
import type { Endpoint } from "../../ctl/api.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import {
  ControlFixture,
  parseAnswer,
  readToEnd,
  writeText,
} from "../../tests/support/control_fixture.ts";
import { REQUEST_MS_MAX } from "./call_reader.ts";
import { type Access, type Route, route } from "./route.ts";

const EVERYONE: Access = { sockets: "both", bodyBytesMax: 1_000 };

const ECHO = {
  method: "POST",
  path: "/v1/echo/:name",
  request: z.strictObject({ name: z.string(), count: z.number().optional() }),
  answer: z.object({ name: z.string(), uid: z.number(), pid: z.number(), socket: z.string() }),
  form: "single",
} satisfies Endpoint;

const echo = route(
  ECHO,
  EVERYONE,
  ({ name }, { uid, pid, socket }) =>
    Promise.resolve({ kind: "answered", body: { name, uid, pid, socket } }),
);

const LIST = {
  method: "GET",
  path: "/v1/list",
  request: z.strictObject({ tag: z.union([z.string(), z.array(z.string())]).optional() }),
  answer: z.object({ tag: z.unknown() }),
  form: "single",
} satisfies Endpoint;

const list = route(
  LIST,
  { sockets: "admin", bodyBytesMax: 0 },
  ({ tag }) => Promise.resolve({ kind: "answered", body: { tag } }),
);

const STREAM = {
  method: "GET",
  path: "/v1/numbers",
  request: z.strictObject({}),
  answer: z.object({ number: z.number() }),
  form: "stream",
} satisfies Endpoint;

function streaming(records: (signal: AbortSignal) => AsyncIterable<{ number: number }>): Route {
  return route(
    STREAM,
    EVERYONE,
    (_request, _caller, signal) => Promise.resolve({ kind: "streamed", records: records(signal) }),
  );
}

/** A stream of one record that then waits for its end. */
class Watched {
  readonly begun = Promise.withResolvers<void>();
  readonly ended = Promise.withResolvers<unknown>();

  readonly records = async function* (this: Watched, signal: AbortSignal) {
    yield { number: 1 };
    this.begun.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.ended.resolve(signal.reason);
  };
}

Deno.test("A control server answers a call with what the kernel says of its caller", async () => {
  await using server = new ControlFixture([echo]);
  const { status, head, body } = await server.post("/v1/echo/a%20b", { count: 1 });
  equal(status, 200);
  match(head, /Content-Type: application\/json/);
  const { uid } = await Deno.stat(server.path("user"));
  deepEqual(JSON.parse(body), { version: 1, name: "a b", uid, pid: Deno.pid, socket: "user" });
});

Deno.test("A control server refuses the administrator's calls on the user's socket", async () => {
  await using server = new ControlFixture([list]);
  equal((await server.get("/v1/list?tag=a&tag=b", "admin")).body.includes('["a","b"]'), true);
  const { status, body } = await server.get("/v1/list");
  equal(status, 403);
  const { error } = JSON.parse(body);
  equal(error.code, "forbidden");
  match(error.hint, /control\.group/);
});

Deno.test("A control server names both versions to a client of another one", async () => {
  await using server = new ControlFixture([echo]);
  const { status, body } = await server.get("/v7/status");
  equal(status, 400);
  match(JSON.parse(body).error.message, /version 7 of the API, this mount speaks 1/);
});

Deno.test("A control server takes a chunked body, and one that waits to be asked for", async () => {
  await using server = new ControlFixture([echo]);
  const chunked = await server.send(
    "POST /v1/echo/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
      '5\r\n{"cou\r\n6;x=y\r\nnt":3}\r\n0\r\nTrailer: x\r\n\r\n',
  );
  equal(chunked.status, 200);
  using client = await server.connect();
  await writeText(
    client,
    "POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
  );
  const first = new Uint8Array(100);
  const count = await client.read(first) ?? 0;
  match(new TextDecoder().decode(first.subarray(0, count)), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  await writeText(client, "{}");
  equal(parseAnswer(await readToEnd(client)).status, 200);
});

const MALFORMED: ReadonlyMap<string, readonly [string, number]> = new Map([
  ["no HTTP", ["hello\r\n\r\n", 400]],
  ["HTTP/1.0", ["GET /v1/list HTTP/1.0\r\n\r\n", 400]],
  ["two lengths", [
    "POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    400,
  ]],
  [
    "a length and chunks",
    [
      "POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
  ],
  ["a chunk of no size", [
    "POST /v1/echo/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    400,
  ]],
  ["a folded header", ["GET /v1/list HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400]],
  ["a body that is no JSON", ["POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", 400]],
  ["a body that is a list", ["POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400]],
  ["an unknown key", ['POST /v1/echo/a HTTP/1.1\r\nContent-Length: 7\r\n\r\n{"x":1}', 400]],
  ["a body too large", ["POST /v1/echo/a HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413]],
  ["a body too large in chunks", [
    `POST /v1/echo/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${
      "x".repeat(1001)
    }\r\n0\r\n\r\n`,
    413,
  ]],
  ["a head too large", [`GET /v1/list HTTP/1.1\r\nA: ${"x".repeat(17_000)}\r\n\r\n`, 431]],
  ["another method", ["PUT /v1/echo/a HTTP/1.1\r\n\r\n", 405]],
  ["an unknown call", ["GET /v1/nothing HTTP/1.1\r\n\r\n", 404]],
]);

for (const [what, [text, status]] of MALFORMED) {
  Deno.test(`A control server refuses ${what}`, async () => {
    await using server = new ControlFixture([echo, list]);
    const answer = await server.send(text);
    equal(answer.status, status);
    const { version, error } = JSON.parse(answer.body);
    equal(version, 1);
    notEqual(error.message, "");
    equal((await server.post("/v1/echo/after", {})).status, 200);
  });
}

Deno.test("A control server drops a client that does not finish its request in time", async () => {
  await using server = new ControlFixture([echo]);
  using client = await server.connect();
  await writeText(client, "POST /v1/echo/a HTTP/1.1\r\nContent-Length: 10\r\n\r\n{");
  const answer = readToEnd(client);
  while (server.clock.sleeping === 0) await server.clock.settle();
  await server.clock.advance(REQUEST_MS_MAX - 1);
  equal((await server.post("/v1/echo/other", {})).status, 200);
  await server.clock.advance(1);
  // The client has to be told; it then has a second to stop sending.
  while (server.clock.sleeping === 0) await server.clock.settle();
  await server.clock.advance(1_000);
  equal(parseAnswer(await answer).status, 408);
});

Deno.test("A control server holds so many connections, and tells the next one", async () => {
  await using server = new ControlFixture([echo], { connectionsMax: 2, connectionsOfUserMax: 2 });
  const silent = [await server.connect(), await server.connect()];
  const refused = await server.post("/v1/echo/a", {});
  equal(refused.status, 503);
  match(JSON.parse(refused.body).error.message, /as many connections as it holds/);
  silent.pop()?.close();
  // The place is free as soon as the server sees the end.
  while ((await server.post("/v1/echo/a", {})).status !== 200) await server.clock.settle();
  silent.pop()?.close();
});

Deno.test("A control server tells who asks too often when to come back", async () => {
  const rate = { perSecond: 0.5, burst: 3, usersMax: 8 };
  await using server = new ControlFixture([echo], { rate });
  const statuses = [];
  for (let call = 0; call < 4; call += 1) statuses.push((await server.get("/v1/x")).status);
  deepEqual(statuses, [404, 404, 404, 429]);
  const { head, body } = await server.get("/v1/x");
  match(head, /\r\nRetry-After: 6\r\n/);
  equal(JSON.parse(body).error.code, "rate_limited");
  await server.clock.advance(6_000);
  equal((await server.get("/v1/x")).status, 404);
});

Deno.test("A control server streams records as they come, and ends the stream", async () => {
  await using server = new ControlFixture([
    streaming(async function* () {
      yield { number: 1 };
      await Promise.resolve();
      yield { number: 2 };
    }),
  ]);
  const { status, head, body } = await server.get("/v1/numbers");
  equal(status, 200);
  match(head, /Content-Type: application\/x-ndjson/);
  equal(body, '19\r\n{"version":1,"number":1}\n\r\n19\r\n{"version":1,"number":2}\n\r\n0\r\n\r\n');
});

Deno.test("A control server ends a stream at once when its client leaves", async () => {
  const watched = new Watched();
  await using server = new ControlFixture([streaming((signal) => watched.records(signal))]);
  const client = await server.connect();
  await writeText(client, "GET /v1/numbers HTTP/1.1\r\n\r\n");
  await watched.begun.promise;
  client.close();
  match(String(await watched.ended.promise), /The client is gone/);
  deepEqual(server.records, []);
});

Deno.test("A control server that stops ends its streams with the reason", async () => {
  const watched = new Watched();
  await using server = new ControlFixture(
    [streaming((signal) => watched.records(signal))],
    {},
    systemClock,
  );
  using client = await server.connect();
  await writeText(client, "GET /v1/numbers HTTP/1.1\r\n\r\n");
  await watched.begun.promise;
  const answer = readToEnd(client);
  await server.stop();
  match(
    await answer,
    /"error":\{"code":"unavailable","message":"The mount is stopping".*0\r\n\r\n$/s,
  );
});

Deno.test("A control server waits for a slow reader instead of buffering for it", async () => {
  let made = 0;
  const endless = async function* () {
    for (;;) {
      made += 1;
      await Promise.resolve();
      yield { number: 10 ** 15 + made };
    }
  };
  await using server = new ControlFixture([streaming(endless)]);
  using client = await server.connect();
  await writeText(client, "GET /v1/numbers HTTP/1.1\r\n\r\n");
  const buffer = new Uint8Array(64);
  await client.read(buffer);
  // It sleeps towards its deadline once the socket is full.
  while (server.clock.sleeping === 0) await server.clock.settle();
  const before = made;
  for (let turn = 0; turn < 5; turn += 1) await server.clock.settle();
  equal(made, before);
  ok(made < 20_000);
});

Deno.test("A control server tells of failures with a hint, and keeps bugs to the log", async () => {
  const failing = (error: Error, path: `/v1/${string}`) =>
    route({ ...LIST, path }, EVERYONE, () => Promise.reject(error));
  await using server = new ControlFixture([
    failing(new CommandError("failed", "Cannot do it", "Do this"), "/v1/failing"),
    failing(new Error("secret"), "/v1/broken"),
  ]);
  const failed = await server.get("/v1/failing");
  equal(failed.status, 502);
  deepEqual(JSON.parse(failed.body).error, {
    code: "failed",
    message: "Cannot do it",
    hint: "Do this",
  });
  deepEqual(server.records, []);
  const broken = await server.get("/v1/broken");
  equal(broken.status, 500);
  equal(broken.body.includes("secret"), false);
  deepEqual(server.records.map(({ message }) => message), ["Control call failed"]);
});

Deno.test("A control server survives clients that leave at any point", async () => {
  await using server = new ControlFixture([echo]);
  const whole = "POST /v1/echo/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
  for (let length = 0; length <= whole.length; length += 5) {
    const client = await server.connect();
    await writeText(client, whole.slice(0, length));
    client.close();
  }
  equal((await server.post("/v1/echo/a", {})).status, 200);
  deepEqual(server.records, []);
});
