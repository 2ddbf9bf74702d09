import { equal, match, rejects } from "node:assert/strict";
import { systemClock } from "../../platform/clock.ts";
import { TRUST } from "../broken_connection.ts";
import { StoreFault } from "../store_fault.ts";
import { IssuerError, issuerFault } from "./issuer_error.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { CLOSED_PORT } from "../../../tests/support/free_port.ts";
import { fetchIssuer, type IssuerPlace, unreachedIssuer } from "./issuer_fetch.ts";

const WANTED = { what: "token", hint: "Check the secret", obtainedBefore: false };

/** What is said when `fetch` of `url` fails with `said`. */
function faultOf(url: string, said: string, place: IssuerPlace = "elsewhere"): StoreFault {
  return issuerFault(unreachedIssuer(new Error(said), url, place), WANTED);
}

Deno.test("an issuer that does not answer is named, with what is on the way to it", () => {
  const url = "https://login.example/tenant?secret=1";
  const refused = faultOf(url, `error sending request for url (${url}): Connection refused`);
  equal(refused.code, "unavailable");
  equal(refused.message, "no token (connection refused by login.example)");
  match(refused.hint ?? "", /^Check the network to login\.example, and HTTPS_PROXY/);
  equal(faultOf(url, "invalid peer certificate: UnknownIssuer").hint, TRUST);
});

Deno.test("no network leads to a service of the machine itself where there is none", () => {
  const fault = faultOf("http://169.254.169.254/token", "Connection refused", "this machine");
  equal(fault.code, "unavailable");
  equal(fault.hint, "Check the secret");
});

Deno.test("fetchIssuer gives an answer whole, and follows none", async () => {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using server = Deno.serve(options, ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/moved") return Response.redirect(new URL("/", url));
    return pathname === "/empty" ? new Response(null, { status: 204 }) : new Response("token");
  });
  const { signal } = new AbortController();
  const ask = (path: string) =>
    fetchIssuer(
      `http://127.0.0.1:${server.addr.port}${path}`,
      { signal },
      "elsewhere",
      systemClock,
    );
  equal(await (await ask("/")).text(), "token");
  equal((await ask("/moved")).status, 302);
  equal((await ask("/empty")).status, 204);
});

Deno.test("fetchIssuer says that the host did not answer, or why it was not asked", async () => {
  const aborted = { signal: AbortSignal.abort(new Error("Enough")) };
  await rejects(fetchIssuer("http://127.0.0.1:9/", aborted, "elsewhere", systemClock), /Enough/);
  const { signal } = new AbortController();
  const host = `127.0.0.1:${CLOSED_PORT}`;
  const error = await fetchIssuer(`http://${host}/`, { signal }, "elsewhere", systemClock).then(
    () => null,
    (error: unknown) => error,
  );
  equal(error instanceof IssuerError && error.message, `connection refused by ${host}`);
});

Deno.test("fetchIssuer waits for no issuer for ever, and names a silent one", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const url = `http://127.0.0.1:${silent.addr.port}/`;
  const asking = fetchIssuer(url, { signal }, "elsewhere", clock);
  const refused = rejects(asking, /^IssuerError: no answer from 127\.0\.0\.1:/);
  await clock.advance(8_000);
  await refused;
});
