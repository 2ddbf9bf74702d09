/** TLS before a server that has none; all else passes as it is, signatures too. */
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { Certificate } from "./azurite.ts";

/** One on a loopback port; disposing ends it. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly endpoint: string;
}

/** Starts one before `upstream`, which shows `certificate`. */
export async function startTlsFront(upstream: string, certificate: Certificate): Promise<TlsFront> {
  const { hostname, port } = new URL(upstream);
  const listener = Deno.listenTls({
    ...{ hostname: "127.0.0.1", port: 0 },
    cert: await Deno.readTextFile(certificate.certificateFile),
    key: await Deno.readTextFile(certificate.keyFile),
  });
  const ending = new AbortController();
  const { signal } = ending;
  // A connection that breaks off, such as one of who does not trust the certificate.
  const connections = new TaskGroup(() => {});
  const pass = async (client: Deno.TlsConn) => {
    const server = await Deno.connect({ hostname, port: Number(port) });
    await Promise.allSettled([
      client.readable.pipeTo(server.writable, { signal }),
      server.readable.pipeTo(client.writable, { signal }),
    ]);
  };
  const accepting = (async () => {
    for await (const client of listener) connections.add(pass(client));
  })();
  return {
    endpoint: `https://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      ending.abort();
      await connections.settled();
    },
  };
}
