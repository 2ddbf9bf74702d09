/**
 * An HTTP proxy in front of one server that does what networks and overloaded services do. It
 * serves one request per connection and passes bytes on as they are, so signatures stay valid for
 * clients that address the proxy.
 *
 * On node:net, because only there a connection can be ended by a reset.
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { TaskGroup } from "../../cache/platform/limit.ts";
import { systemClock } from "../../cache/platform/clock.ts";

/** What happens to an answer. Byte counts are of its body. */
export type Fault =
  /** The connection ends in order, though the body is not complete. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** The connection is reset (TCP RST). */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Nothing more comes, and the connection stays. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The proxy answers in place of the server. */
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }
  /** The answer starts `latencyMs` later and comes at `bytesPerSecond`, per connection. */
  | { readonly kind: "slow"; readonly latencyMs: number; readonly bytesPerSecond: number };

/** Which requests a fault befalls: all whose method and target match, such as `GET /a/b?c=d`. */
export type Matcher = (request: string) => boolean;

/** A request that came: its first line without the version, its headers by lower-case name. */
export interface SeenRequest {
  readonly request: string;
  readonly headers: ReadonlyMap<string, string>;
}

interface Injected {
  readonly fault: Fault;
  readonly matches: Matcher;
  timesLeft: number;
}

interface Head {
  readonly text: string;
  /** What came behind it in the same piece. */
  readonly rest: Uint8Array;
}

const HEAD_BYTES_MAX = 64 * 1024;

/** One proxy on a loopback port of its own. */
export class FaultProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #upstream: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();
  readonly #connections = new TaskGroup(() => {
    // A broken connection is what the proxy is for; both ends have been told.
  });
  #port = 0;
  #injected: Injected | null = null;

  private constructor(upstream: URL) {
    this.#upstream = { host: upstream.hostname, port: Number(upstream.port || 80) };
    this.#server = createServer((client) => {
      this.#track(client);
      this.#connections.add(this.#serve(client).finally(() => client.destroy()));
    });
  }

  /** Starts a proxy in front of `upstream`, a plain HTTP server. */
  static async start(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(upstream));
    await proxy.accept();
    return proxy;
  }

  /** `http://127.0.0.1:PORT`. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** `url` of the upstream server, by way of the proxy. */
  through(url: string): string {
    return this.origin + new URL(url).pathname;
  }

  /** Lets `fault` befall the next `times` requests that match, and no other fault any more. */
  inject(fault: Fault, times = Infinity, matches: Matcher = () => true): void {
    this.#injected = { fault, matches, timesLeft: times };
  }

  /** Passes everything on from now on; connections that are stalled stay so. */
  heal(): void {
    this.#injected = null;
  }

  /** Refuses connections, and ends those that there are. */
  refuse(): void {
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Accepts connections, on the same port as before. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    const listening = once(this.#server, "listening");
    this.#server.listen(this.#port, "127.0.0.1");
    await listening;
    const address = this.#server.address();
    if (address !== null && typeof address === "object") this.#port = address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.refuse();
    await this.#connections.settled();
  }

  async #serve(client: Socket): Promise<void> {
    const requestBytes = pieces(client);
    const head = await readHead(requestBytes);
    if (head === null) return;
    const seen = parseHead(head.text);
    this.seen.push(seen);
    const fault = this.#takeFault(seen.request);
    if (fault?.kind === "answer") {
      await write(client, answerText(fault));
      return await finish(client);
    }
    const server = connect(this.#upstream);
    this.#track(server);
    try {
      await once(server, "connect", { signal: this.#closing.signal });
      await write(server, Buffer.from(lastRequest(head.text), "latin1"));
      if (head.rest.length > 0) await write(server, head.rest);
      this.#connections.add(pass(requestBytes, server));
      await this.#answer(pieces(server), client, fault);
    } finally {
      server.destroy();
    }
  }

  /** Passes the answer on, as `fault` lets it. */
  async #answer(
    answer: AsyncIterator<Uint8Array>,
    client: Socket,
    fault: Fault | null,
  ): Promise<void> {
    const head = await readHead(answer);
    if (head === null) return;
    if (fault?.kind === "slow") await this.#wait(fault.latencyMs);
    await write(client, Buffer.from(head.text, "latin1"));
    let leftBytes = fault === null || !("afterBytes" in fault) ? Infinity : fault.afterBytes;
    for (let piece: Uint8Array | null = head.rest; piece !== null; piece = await next(answer)) {
      const passed = piece.subarray(0, leftBytes);
      if (passed.length > 0) await write(client, passed);
      leftBytes -= passed.length;
      if (fault?.kind === "slow") await this.#wait(1000 * passed.length / fault.bytesPerSecond);
      if (leftBytes > 0) continue;
      if (fault?.kind === "reset") return reset(client);
      if (fault?.kind === "stall") return await untilClosed(client);
      break;
    }
    await finish(client);
  }

  async #wait(ms: number): Promise<void> {
    await systemClock.sleep(ms, this.#closing.signal);
  }

  #takeFault(request: string): Fault | null {
    const injected = this.#injected;
    if (injected === null || injected.timesLeft <= 0 || !injected.matches(request)) return null;
    injected.timesLeft -= 1;
    return injected.fault;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    // Without a listener the error of a reset connection would end the process.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** The bytes of `socket`; unlike `for await`, stopping early leaves it open. */
async function* unowned(socket: Socket): AsyncGenerator<Uint8Array> {
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    if (piece instanceof Uint8Array) yield piece;
  }
}

function pieces(socket: Socket): AsyncIterator<Uint8Array> {
  return unowned(socket)[Symbol.asyncIterator]();
}

async function next(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
  const { done, value } = await source.next();
  return done === true ? null : value;
}

/** Everything up to the empty line; null when the connection ends before. */
async function readHead(source: AsyncIterator<Uint8Array>): Promise<Head | null> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < HEAD_BYTES_MAX) {
    const piece = await next(source);
    if (piece === null) return null;
    bytes = Buffer.concat([bytes, piece]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end !== -1) {
      return { text: bytes.toString("latin1", 0, end + 4), rest: bytes.subarray(end + 4) };
    }
  }
  return null;
}

function parseHead(text: string): SeenRequest {
  const [first = "", ...lines] = text.trimEnd().split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { request: first.slice(0, first.lastIndexOf(" ")), headers: new Map(headers) };
}

/** The head of a request after which the server closes the connection, which ends the answer. */
function lastRequest(head: string): string {
  const lines = head.trimEnd().split("\r\n").filter((line) => !/^connection:/i.test(line));
  return [...lines, "connection: close", "", ""].join("\r\n");
}

function answerText(fault: Fault & { kind: "answer" }): Uint8Array {
  const body = new TextEncoder().encode(fault.body);
  const headers = { ...fault.headers, "content-length": body.length, "connection": "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${fault.status} Injected\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

async function pass(source: AsyncIterator<Uint8Array>, target: Socket): Promise<void> {
  for (let piece = await next(source); piece !== null; piece = await next(source)) {
    await write(target, piece);
  }
}

/** Resolves when `bytes` are on their way, so that a slow reader slows the writer. */
function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => error ? reject(error) : resolve());
  });
}

/** Ends `socket` in order, and waits until the other side has ended it too. */
async function finish(socket: Socket): Promise<void> {
  socket.end();
  await untilClosed(socket);
}

async function untilClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, "close");
}

function reset(socket: Socket): void {
  // Deno before 2.9 lacks it: there the client sees the connection end early instead.
  if (typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
  else socket.destroy();
}
