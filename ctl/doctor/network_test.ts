import { equal, match, rejects } from "node:assert/strict";
import { systemClock } from "../../cache/platform/clock.ts";
import { never } from "../../tests/support/backend_calls.ts";
import { createTestAuthority, type TestAuthority } from "../../tests/support/test_authority.ts";
import { thisNetwork } from "./network.ts";

/** A server that speaks TLS and waits until its first client has gone. */
async function withTlsServer(
  test: (url: URL, authority: TestAuthority) => Promise<void>,
): Promise<void> {
  await using authority = await createTestAuthority();
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(authority.certificateFile),
    key: await Deno.readTextFile(authority.keyFile),
  });
  const serving = listener.accept().then(async (connection) => {
    using _connection = connection;
    await connection.read(new Uint8Array(1)).catch(() => null);
  });
  await test(new URL(`https://127.0.0.1:${listener.addr.port}/`), authority);
  await serving;
}

Deno.test("Network connects by TLS to a service whose issuer is trusted", async () => {
  await withTlsServer(async (url, { authorityFile }) => {
    const caCertificates = await Deno.readTextFile(authorityFile);
    const network = thisNetwork(systemClock, { caCertificates, proxy: null });
    const { tlsMs } = await network.connect(url, never);
    equal(tlsMs !== null && tlsMs >= 0, true);
  });
});

Deno.test("Network says that an issuer is not trusted", async () => {
  await withTlsServer(async (url) => {
    await rejects(thisNetwork(systemClock).connect(url, never), /UnknownIssuer|certificate/);
  });
});

Deno.test("Network connects without TLS, and says when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
  const network = thisNetwork(systemClock);
  const accepted = listener.accept();
  equal((await network.connect(url, never)).tlsMs, null);
  (await accepted).close();
  listener.close();
  await rejects(network.connect(url, never), /refused/);
});

Deno.test("Network leaves a handshake that gets no answer", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = new URL(`https://127.0.0.1:${silent.addr.port}/`);
  const controller = new AbortController();
  const connecting = thisNetwork(systemClock).connect(url, controller.signal);
  const outcome = rejects(connecting);
  using connection = await silent.accept();
  // The first bytes of the handshake: from here on the client waits.
  await connection.read(new Uint8Array(1));
  controller.abort(new Error("Stopped by hand"));
  await outcome;
});

Deno.test("Network resolves names and addresses, and knows its own", async () => {
  const network = thisNetwork(systemClock);
  equal((await network.resolve("localhost")).length > 0, true);
  equal((await network.resolve("[::1]"))[0], "::1");
  await rejects(network.resolve("no-such-host.invalid"));
  equal(network.ownAddresses().has("127.0.0.1"), true);
});

Deno.test("Network reads the date of any answer, refusals included", async () => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 403, headers: { date: "Sun, 22 Nov 2026 19:35:37 GMT" } }),
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/`);
  const date = await thisNetwork(systemClock).date(url, never);
  match(new Date(date?.dateMs ?? 0).toISOString(), /^2026-11-22T19:35:37/);
  await server.shutdown();
});
