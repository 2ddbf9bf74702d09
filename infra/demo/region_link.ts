/**
 * The way to a region: a TCP relay in front of its store that adds the distance. What passes is
 * late by half the round trip each way, and what comes back shares one bandwidth. TLS passes
 * through as it is, so the relay can neither read nor forge anything; it counts bytes, and knows
 * nothing of WarpDrive.
 */
import { SharedBandwidth } from "../../bench/shared_bandwidth.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";

/** How far away a region is. */
export interface Distance {
  readonly roundTripMs: number;
  /** Of all connections together, from the region. */
  readonly bytesPerSecond: number;
}

interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When it arrives at the other end. */
  readonly dueMs: number;
}

interface Direction {
  readonly from: Deno.TcpConn;
  readonly to: Deno.TcpConn;
  /** Called with the size of each piece that is about to arrive. */
  readonly pass: (bytes: number) => Promise<void>;
}

/** Under way on one connection; more than any bandwidth here sends in one round trip. */
const UNDER_WAY_BYTES_MAX = 4 * 1024 * 1024;

/** The relay, on a loopback port of its own. */
export class RegionLink implements AsyncDisposable {
  readonly #upstream: Deno.ConnectOptions;
  readonly #delayMs: number;
  readonly #bandwidth: SharedBandwidth;
  readonly #clock: Clock;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #closing = new AbortController();
  /** A connection that breaks has told both its ends. */
  readonly #tasks = new TaskGroup(() => {});
  #receivedBytes = 0;

  constructor(upstream: URL, distance: Distance, clock: Clock) {
    this.#upstream = { hostname: upstream.hostname, port: Number(upstream.port) };
    this.#delayMs = distance.roundTripMs / 2;
    this.#bandwidth = new SharedBandwidth(distance.bytesPerSecond, clock);
    this.#clock = clock;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#tasks.add(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Everything that came from the region so far, encrypted: handshakes and headers too. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listener.close();
    for (const connection of this.#open) closed(connection);
    await this.#tasks.settled();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#tasks.add(this.#serve(client));
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    let server: Deno.TcpConn | null = null;
    try {
      server = await Deno.connect(this.#upstream);
      this.#open.add(server);
      for (const end of [client, server]) end.setNoDelay(true);
      // Whichever way breaks, both ends are closed, which ends the other way too.
      await Promise.all([
        this.#carry({ from: client, to: server, pass: () => Promise.resolve() }),
        this.#carry({ from: server, to: client, pass: (bytes) => this.#arrive(bytes) }),
      ]);
    } finally {
      for (const end of [client, server]) {
        if (end === null) continue;
        closed(end);
        this.#open.delete(end);
      }
    }
  }

  async #arrive(bytes: number): Promise<void> {
    await this.#bandwidth.pass(bytes, this.#closing.signal);
    this.#receivedBytes += bytes;
  }

  async #carry({ from, to, pass }: Direction): Promise<void> {
    const late = new TransformStream<Uint8Array<ArrayBuffer>, Piece>(
      {
        transform: (bytes, out) => {
          out.enqueue({ bytes, dueMs: this.#clock.monotonicMs() + this.#delayMs });
        },
      },
      undefined,
      { highWaterMark: UNDER_WAY_BYTES_MAX, size: ({ bytes }) => bytes.length },
    );
    for await (const { bytes, dueMs } of from.readable.pipeThrough(late)) {
      const waitMs = dueMs - this.#clock.monotonicMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs, this.#closing.signal);
      await pass(bytes.length);
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await to.write(rest));
    }
    await to.closeWrite();
  }
}

function closed(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already: streams close the connection they read from at its end.
  }
}
