/** How long it takes to connect to a service, and whether its certificate is trusted. */
import { TRUST_STORE } from "../../cache/backend/broken_connection.ts";
import { doubtful, good } from "../../cache/platform/finding.ts";
import { describeError } from "../../cache/platform/log.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";
import { noAnswer, type Origin } from "./origin.ts";

/** More than to the other side of the Earth: packets are lost, or a firewall thinks. */
const SLOW_MS = 1_000;

/** The check of TCP and TLS to `origin`. */
export function connection(origin: Origin): Check {
  const subject = `connection to ${origin.url.host}`;
  return {
    name: "connection",
    subject,
    deadlineMs: NETWORK_DEADLINE_MS,
    async run(signal) {
      const proxied = origin.proxied(subject);
      if (proxied !== null) return proxied;
      try {
        const { tcpMs, tlsMs } = await origin.network.connect(origin.url, signal);
        const tls = tlsMs === null ? "without TLS" : `TLS in ${formatDuration(tlsMs)}`;
        const found = `TCP in ${formatDuration(tcpMs)}, ${tls}`;
        if (tcpMs + (tlsMs ?? 0) < SLOW_MS) return good(subject, found);
        return doubtful(subject, `${found}: slow`, "Check the way there for lost packets");
      } catch (error) {
        signal.throwIfAborted();
        return noAnswer(subject, error, remedyOf(describeError(error)));
      }
    },
  };
}

function remedyOf(reason: string): string {
  if (/certificate|UnknownIssuer/i.test(reason)) return TRUST_STORE;
  if (/refused/i.test(reason)) return "Check that the endpoint is right and the service runs";
  if (/tls|handshake|InvalidContentType/i.test(reason)) {
    return "Check whether the endpoint should start with http: instead of https:";
  }
  return "Check the endpoint, and the firewalls on the way to it";
}
