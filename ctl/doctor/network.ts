/** The network as the checks ask it. */
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { AbortScope } from "../../cache/backend/abort_scope.ts";
import { type ClientSettings, httpClientOf } from "../../cache/backend/http_client.ts";
import type { Clock } from "../../cache/platform/clock.ts";

/** How long a connection took. */
export interface ConnectTime {
  readonly tcpMs: number;
  /** Null without TLS. */
  readonly tlsMs: number | null;
}

/** A `Date` header, and when it was asked for and came, by the clock of this machine. */
export interface ServerDate {
  readonly dateMs: number;
  readonly askedMs: number;
  readonly answeredMs: number;
}

/** What the checks ask. Everything rejects with the reason where there is no answer. */
export interface Network {
  /** Addresses of a name, as the requests of backends get them. */
  resolve(hostname: string): Promise<readonly string[]>;
  /** Connects and disconnects. */
  connect(url: URL, signal: AbortSignal): Promise<ConnectTime>;
  /** The clock of a server; null when its answer has no date. */
  date(url: URL, signal: AbortSignal): Promise<ServerDate | null>;
  /** Addresses of this machine itself. */
  ownAddresses(): ReadonlySet<string>;
}

/** Nothing but what the environment says. */
const PLAIN: ClientSettings = { caCertificates: null, proxy: null };

/** The network this process is on, as a backend with the settings `client` uses it. */
export function thisNetwork(clock: Clock, client: ClientSettings = PLAIN): Network {
  // What the environment names is trusted for all connections alike.
  const trusted = client.caCertificates === null ? [] : [client.caCertificates];
  return {
    async resolve(hostname) {
      const found = await lookup(bareHost(hostname), { all: true });
      return found.map(({ address }) => address);
    },
    connect: (url, signal) => connectTo(url, trusted, clock, signal),
    date: (url, signal) => askDate(url, client, clock, signal),
    ownAddresses: () =>
      new Set(
        Object.values(networkInterfaces()).flatMap((list) =>
          (list ?? []).map(({ address }) => address)
        ),
      ),
  };
}

async function connectTo(
  url: URL,
  authorities: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<ConnectTime> {
  const hostname = bareHost(url.hostname);
  const secure = url.protocol === "https:";
  const port = Number(url.port || (secure ? 443 : 80));
  const begunMs = clock.monotonicMs();
  const tcp = await Deno.connect({ hostname, port });
  const connectedMs = clock.monotonicMs();
  const tcpMs = connectedMs - begunMs;
  if (!secure || signal.aborted) {
    tcp.close();
    return { tcpMs, tlsMs: null };
  }
  const tls = await Deno.startTls(tcp, { hostname, caCerts: [...authorities] });
  const close = () => tls.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    await tls.handshake();
    return { tcpMs, tlsMs: clock.monotonicMs() - connectedMs };
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) tls.close();
  }
}

async function askDate(
  url: URL,
  settings: ClientSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<ServerDate | null> {
  using client = httpClientOf(settings);
  // `fetch` leaves something on the signal it is given.
  using scope = new AbortScope(signal);
  const askedMs = clock.wallMs();
  const response = await fetch(url, {
    method: "HEAD",
    redirect: "manual",
    signal: scope.signal,
    ...(client === null ? {} : { client }),
  });
  const answeredMs = clock.wallMs();
  await response.body?.cancel();
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(dateMs) ? null : { dateMs, askedMs, answeredMs };
}

/** The host of a URL without the brackets of an IPv6 address. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
