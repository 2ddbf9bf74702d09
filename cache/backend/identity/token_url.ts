/** Where tokens, and proofs of who we are, may be sent. */

/** As a URL writes them; names that only begin like one are names of others. */
const LOOPBACK = /^(localhost|\[::1\]|127(\.\d+){3})$/;

/** Whether nobody on the way to `url` can read along: over TLS, or within this machine. */
export function isPrivateWay(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:") return true;
  return protocol === "http:" && LOOPBACK.test(hostname);
}
