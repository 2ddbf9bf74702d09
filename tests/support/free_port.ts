/**
 * A TCP port of the loopback interface that nothing listens on now. Only for servers that cannot
 * be told to choose one themselves: somebody else may take it before they do.
 */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
