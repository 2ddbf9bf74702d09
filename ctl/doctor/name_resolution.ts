/** Whether the name of a service has an address. */
import type { Clock } from "../../cache/platform/clock.ts";
import { doubtful, good } from "../../cache/platform/finding.ts";
import { formatDuration } from "../../cache/platform/units.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";
import { noAnswer, type Origin } from "./origin.ts";

/** A name is asked for again with every new connection. */
const SLOW_MS = 1_000;
const SHOWN_MAX = 3;

/** The check of DNS for `origin`. */
export function nameResolution(origin: Origin, clock: Clock): Check {
  const subject = `name ${origin.url.hostname}`;
  return {
    name: "name_resolution",
    subject,
    deadlineMs: NETWORK_DEADLINE_MS,
    async run() {
      const proxied = origin.proxied(subject);
      if (proxied !== null) return proxied;
      const begunMs = clock.monotonicMs();
      try {
        const addresses = await origin.addresses();
        const tookMs = clock.monotonicMs() - begunMs;
        const more = addresses.length > SHOWN_MAX ? ", …" : "";
        const found = `is ${addresses.slice(0, SHOWN_MAX).join(", ")}${more}, in ${
          formatDuration(tookMs)
        }`;
        if (tookMs < SLOW_MS) return good(subject, found);
        return doubtful(subject, `${found}: slow`, "Check the name servers in /etc/resolv.conf");
      } catch (error) {
        return noAnswer(
          subject,
          error,
          "Check account and endpoint of the backend, and the name servers in /etc/resolv.conf",
        );
      }
    },
  };
}
