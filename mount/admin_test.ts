import { deepEqual, equal, match, throws } from "node:assert/strict";
import { Registry } from "prom-client";
import { type Clock, systemClock } from "../cache/platform/clock.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { silentLogger } from "../cache/platform/log.ts";
import { serveAdmin } from "./admin.ts";
import { CONNECTIONS_MAX, EXCHANGE_MS_MAX, GetServer, textAnswer } from "./get_server.ts";
import { type Check, HealthMonitor } from "./health.ts";

const ANY_PORT = { hostname: "127.0.0.1", port: 0 };

function monitor(checks: Readonly<Record<string, Check>>): HealthMonitor {
  return new HealthMonitor(new Map(Object.entries(checks)), 5_000, systemClock);
}

const OK: Check = () => Promise.resolve({ status: "ok", detail: "Answers" });
const DOWN: Check = () => Promise.reject(new Error("Connection refused"));

function serve(checks: Readonly<Record<string, Check>>): GetServer {
  const sources = {
    registry: new Registry(),
    health: monitor(checks),
    liveness: monitor({ mount: OK }),
  };
  return serveAdmin(ANY_PORT, sources, systemClock, silentLogger);
}

function url(server: GetServer, path: string): string {
  return `http://127.0.0.1:${server.address.port}${path}`;
}

/** Sends `request` as it is and returns everything that comes back. */
async function exchange(server: GetServer, request: string): Promise<string> {
  using connection = await Deno.connect({ ...server.address });
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

Deno.test("admin serves metrics in the text format of Prometheus", async () => {
  await using server = serve({});
  const response = await fetch(url(server, "/metrics"));
  equal(response.status, 200);
  match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  await response.text();
});

Deno.test("admin answers 200 and each check when all is well", async () => {
  await using server = serve({ mount: OK });
  const response = await fetch(url(server, "/healthz"));
  equal(response.status, 200);
  const body = await response.json();
  equal(typeof body.checks.mount.latency_ms, "number");
  delete body.checks.mount.latency_ms;
  deepEqual(body, { status: "ok", checks: { mount: { status: "ok", detail: "Answers" } } });
});

Deno.test("admin answers 503 while a backend is down, and stays alive", async () => {
  await using server = serve({ mount: OK, "backend:a": DOWN });
  const response = await fetch(url(server, "/healthz"));
  equal(response.status, 503);
  equal((await response.json()).checks["backend:a"].detail, "Connection refused");
  const live = await fetch(url(server, "/livez"));
  equal(live.status, 200);
  await live.text();
});

Deno.test("admin lists what there is to whoever asks for something else", async () => {
  await using server = serve({});
  const response = await fetch(url(server, "/"));
  equal(response.status, 404);
  match(await response.text(), /\/metrics \/healthz \/livez/);
});

Deno.test("admin ignores a query, answers HEAD and refuses other methods", async () => {
  await using server = serve({});
  const queried = await fetch(url(server, "/livez?verbose=1"));
  equal(queried.status, 200);
  await queried.text();
  match(await exchange(server, "HEAD /livez HTTP/1.1\r\n\r\n"), /200 OK[^]*\r\n\r\n$/);
  const posted = await fetch(url(server, "/livez"), { method: "POST", body: "x".repeat(1e4) });
  equal(posted.status, 405);
  equal(posted.headers.get("allow"), "GET, HEAD");
  await posted.text();
});

Deno.test("admin answers 400 to what is no request or has no end", async () => {
  await using server = serve({});
  match(await exchange(server, "hello\r\n\r\n"), /^HTTP\/1\.1 400 /);
  match(await exchange(server, `GET /${"x".repeat(9_000)}`), /^HTTP\/1\.1 400 /);
});

Deno.test("admin names the address and the setting when the port is taken", async () => {
  await using server = serve({});
  const again = () =>
    GetServer.listen(
      server.address,
      () => Promise.resolve(textAnswer(200, "")),
      systemClock,
      silentLogger,
    );
  throws(again, (error) => {
    if (!(error instanceof CommandError)) return false;
    match(error.message, /^Listen on "127\.0\.0\.1:\d+": the address is in use/);
    match(error.hint ?? "", /metrics\.addr/);
    return true;
  });
});

Deno.test("GetServer answers 500 and stays when an answer fails", async () => {
  const respond = () => Promise.reject(new Error("Broken"));
  await using server = GetServer.listen(ANY_PORT, respond, systemClock, silentLogger);
  for (const _ of [1, 2]) {
    const response = await fetch(url(server, "/"));
    equal(response.status, 500);
    await response.text();
  }
});

/** The system's clock, except that pauses of a whole exchange end when `expire` is called. */
function exchangeClock() {
  const pauses: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep(ms, signal) {
      if (ms !== EXCHANGE_MS_MAX) return systemClock.sleep(ms, signal);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      pauses.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      return promise;
    },
  };
  return { clock, expire: () => pauses.forEach((resolve) => resolve()) };
}

Deno.test("GetServer serves others while clients stall until their deadline", async () => {
  const { clock, expire } = exchangeClock();
  const respond = () => Promise.resolve(textAnswer(200, "here"));
  await using server = GetServer.listen(ANY_PORT, respond, clock, silentLogger);
  using silent = await Deno.connect({ ...server.address });
  using halfway = await Deno.connect({ ...server.address });
  await halfway.write(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
  const response = await fetch(url(server, "/"));
  equal(await response.text(), "here\n");
  expire();
  equal(await silent.read(new Uint8Array(1)), null);
  equal(await halfway.read(new Uint8Array(1)), null);
});

Deno.test("GetServer turns connections away beyond its limit only", async () => {
  const { clock, expire } = exchangeClock();
  const respond = () => Promise.resolve(textAnswer(200, "here"));
  await using server = GetServer.listen(ANY_PORT, respond, clock, silentLogger);
  const stalled: Deno.TcpConn[] = [];
  for (let count = 0; count < CONNECTIONS_MAX; count += 1) {
    stalled.push(await Deno.connect({ ...server.address }));
  }
  using refused = await Deno.connect({ ...server.address });
  equal(await refused.read(new Uint8Array(1)), null);
  expire();
  for (const connection of stalled) {
    equal(await connection.read(new Uint8Array(1)), null);
    connection.close();
  }
  const response = await fetch(url(server, "/"));
  equal(await response.text(), "here\n");
});

Deno.test("GetServer ends exchanges in progress when it closes", async () => {
  const server = serve({});
  using stalled = await Deno.connect({ ...server.address });
  // An answered request shows that the connection before it was accepted too.
  await (await fetch(url(server, "/livez"))).text();
  await server[Symbol.asyncDispose]();
  equal(await stalled.read(new Uint8Array(1)), null);
});
