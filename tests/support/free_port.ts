/**
 * A TCP port of the loopback interface that nothing listens on now. Only for servers that cannot
 * be told to choose one themselves: somebody else may take it before they do.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/**
 * A port that refuses connections, for tests of what that means: systems give out none of these to
 * whoever asks for any, so that no test beside it can come to listen there. `fetch` blocks 1.
 */
export const CLOSED_PORT = 2;
