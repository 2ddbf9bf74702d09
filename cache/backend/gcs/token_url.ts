/** Where tokens, and proofs of who we are, may be sent. */

/** Whether nobody on the way to `url` can read along: over TLS, or within this machine. */
export function isPrivateWay(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:") return true;
  const loopback = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return protocol === "http:" && loopback;
}
