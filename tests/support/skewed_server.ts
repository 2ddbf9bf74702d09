/** A server in front of another that passes everything on and has a clock of its own. */

/** One on a loopback port; disposing ends it. */
export interface SkewedServer extends AsyncDisposable {
  /** `url` of the server behind, by way of this one. */
  through(url: string): string;
}

/** Starts one in front of `upstream` whose clock is `aheadMs` ahead of this machine's. */
export function startSkewedServer(upstream: string, aheadMs: number): SkewedServer {
  const { origin } = new URL(upstream);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const answer = await fetch(origin + pathname + search, {
        method: request.method,
        headers: request.headers,
        redirect: "manual",
      });
      const headers = new Headers(answer.headers);
      headers.set("date", new Date(Date.now() + aheadMs).toUTCString());
      return new Response(answer.body, { status: answer.status, headers });
    },
  );
  return {
    through: (url) => `http://127.0.0.1:${server.addr.port}${new URL(url).pathname}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
