/** TLS before a server that has none. */
import type { Certificate } from "./azurite.ts";

/** One on a loopback port; disposing ends it. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly endpoint: string;
}

/** Starts one before `upstream`, which shows `certificate`. */
export async function startTlsFront(upstream: string, certificate: Certificate): Promise<TlsFront> {
  const cert = await Deno.readTextFile(certificate.certificateFile);
  const key = await Deno.readTextFile(certificate.keyFile);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("host");
      const { method, body } = request;
      const answer = await fetch(upstream + pathname + search, {
        method,
        headers,
        body: body === null ? null : await request.bytes(),
        redirect: "manual",
      });
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    },
  );
  return {
    endpoint: `https://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
