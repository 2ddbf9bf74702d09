/** The largest packet of the interface that leads to a service. */
import { doubtful, type Finding, good, skipped } from "../../cache/platform/finding.ts";
import type { Host } from "../../cache/platform/host.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";
import type { Origin } from "./origin.ts";
import { interfaceTo } from "./route.ts";

/** What Ethernet carries, less what tunnels of container networks and VPNs usually take. */
const MTU_MIN = 1_400;
const ETHERNET_MTU = 1_500;

/** The check of the MTU towards `origin`. */
export function mtu(origin: Origin, host: Host): Check {
  const subject = `MTU to ${origin.url.host}`;
  return {
    name: "mtu",
    subject,
    deadlineMs: NETWORK_DEADLINE_MS,
    async run() {
      const proxied = origin.proxied(subject);
      if (proxied !== null) return proxied;
      const [address] = await origin.addresses().catch(() => []);
      if (address === undefined) return skipped(subject, "its name has no address");
      const device = interfaceTo(address, {
        ipv4: await host.text("/proc/net/route") ?? "",
        ipv6: await host.text("/proc/net/ipv6_route") ?? "",
        own: origin.network.ownAddresses(),
      });
      if (device === null) return skipped(subject, `no route leads to ${address}`);
      const written = await host.text(`/sys/class/net/${device}/mtu`);
      if (written === null) return skipped(subject, `that of ${device} cannot be read`);
      return judgeMtu(subject, device, Number(written));
    },
  };
}

function judgeMtu(subject: string, device: string, bytes: number): Finding {
  const found = `${bytes} bytes by ${device}`;
  if (bytes < MTU_MIN) {
    return doubtful(
      subject,
      `${found}: small packets cost throughput`,
      "Check the tunnel or container network of this interface",
    );
  }
  if (bytes > ETHERNET_MTU && device !== "lo") {
    return good(subject, `${found}: jumbo frames, which every switch on the way has to carry`);
  }
  return good(subject, found);
}
