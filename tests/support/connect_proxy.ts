/** A proxy for https, as companies have one: it connects through, and knows only where to. */
import { TaskGroup } from "../../cache/platform/limit.ts";

/** One on a loopback port; disposing ends it. */
export interface ConnectProxy extends AsyncDisposable {
  /** As HTTPS_PROXY takes it. */
  readonly url: string;
  /** `HOST:PORT` of each tunnel. */
  readonly seen: string[];
}

const ESTABLISHED = new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n");

/** Starts one. */
export function startConnectProxy(): ConnectProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const ending = new AbortController();
  const { signal } = ending;
  const seen: string[] = [];
  // A tunnel that breaks off ends with it.
  const tunnels = new TaskGroup(() => {});
  const pass = async (client: Deno.Conn) => {
    const [, host = "", port = ""] = /^CONNECT (\S+):(\d+) /.exec(await readHead(client)) ?? [];
    if (host === "") return client.close();
    seen.push(`${host}:${port}`);
    const server = await Deno.connect({ hostname: host, port: Number(port) });
    await client.write(ESTABLISHED);
    await Promise.allSettled([
      client.readable.pipeTo(server.writable, { signal }),
      server.readable.pipeTo(client.writable, { signal }),
    ]);
  };
  const accepting = (async () => {
    for await (const client of listener) tunnels.add(pass(client));
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      ending.abort();
      await tunnels.settled();
    },
  };
}

/** What `client` says before it waits for an answer. */
async function readHead(client: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(4_096);
  let head = "";
  while (!head.endsWith("\r\n\r\n") && head.length < bytes.length) {
    const count = await client.read(bytes);
    if (count === null) break;
    head += new TextDecoder().decode(bytes.subarray(0, count));
  }
  return head;
}
