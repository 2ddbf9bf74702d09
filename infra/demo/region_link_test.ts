import { deepEqual, equal, ok } from "node:assert/strict";
import { systemClock } from "../../cache/platform/clock.ts";
import { RegionLink } from "./region_link.ts";

const FAST = { roundTripMs: 2, bytesPerSecond: Infinity };

/** A server that sends back what it is sent. */
function startEcho(): { readonly url: URL } & AsyncDisposable {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response(request.body),
  );
  return {
    url: new URL(`http://127.0.0.1:${server.addr.port}`),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("RegionLink passes bytes on in both directions and counts them", async () => {
  await using server = startEcho();
  await using link = new RegionLink(server.url, FAST, systemClock);
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const answer = await fetch(`http://127.0.0.1:${link.port}/`, { method: "POST", body: sent });
  deepEqual(await answer.bytes(), sent);
  ok(link.receivedBytes >= sent.length, `${link.receivedBytes}`);
  ok(link.receivedBytes < sent.length + 2_000, `${link.receivedBytes}`);
});

Deno.test("RegionLink lets nothing pass before its time", async () => {
  await using server = startEcho();
  const waits: number[] = [];
  const clock = {
    ...systemClock,
    monotonicMs: () => 1_000,
    sleep: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  await using link = new RegionLink(server.url, { ...FAST, roundTripMs: 40 }, clock);
  await (await fetch(`http://127.0.0.1:${link.port}/`)).bytes();
  ok(waits.length >= 2, "once in each direction");
  ok(waits.every((ms) => ms === 20), `${waits}`);
});

Deno.test("RegionLink shares its bandwidth among its connections", async () => {
  await using server = startEcho();
  let waitedMs = 0;
  const clock = {
    ...systemClock,
    monotonicMs: () => 1_000,
    sleep: (ms: number) => {
      waitedMs = Math.max(waitedMs, ms);
      return Promise.resolve();
    },
  };
  const distance = { roundTripMs: 0, bytesPerSecond: 100_000 };
  await using link = new RegionLink(server.url, distance, clock);
  const body = new Uint8Array(50_000);
  const post = async () => {
    const { status } = await fetch(`http://127.0.0.1:${link.port}/`, { method: "POST", body });
    equal(status, 200);
  };
  await Promise.all([post(), post()]);
  ok(waitedMs >= 980, `100 kB take a second on this link, and took ${waitedMs} ms`);
});

Deno.test("RegionLink hangs up on both ends when it is disposed", async () => {
  const upstream = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const link = new RegionLink(
    new URL(`http://127.0.0.1:${upstream.addr.port}`),
    FAST,
    systemClock,
  );
  const client = await Deno.connect({ hostname: "127.0.0.1", port: link.port });
  const server = await upstream.accept();
  await link[Symbol.asyncDispose]();
  equal(await client.read(new Uint8Array(1)), null);
  equal(await server.read(new Uint8Array(1)), null);
  for (const end of [client, server, upstream]) end.close();
});
