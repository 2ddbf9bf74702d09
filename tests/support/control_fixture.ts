/** A control server of its own for one test, and clients that speak raw HTTP to it. */
import type { Clock } from "../../cache/platform/clock.ts";
import { Libc } from "../../cache/platform/libc.ts";
import type { LogFields } from "../../cache/platform/log.ts";
import { BOUNDS, ControlServer, type SocketBounds } from "../../mount/control/control_server.ts";
import { ControlSockets } from "../../mount/control/control_sockets.ts";
import type { Route, SocketName } from "../../mount/control/route.ts";
import { Router } from "../../mount/control/router.ts";
import { collectedLog } from "./collected_log.ts";
import { FakeClock } from "./fake_clock.ts";

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A server over real sockets, with a clock that stands still. */
export class ControlFixture implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly records: readonly LogFields[];
  readonly #directory = Deno.makeTempDirSync({ prefix: "warpdrive-" });
  readonly #sockets: ControlSockets;
  readonly #server: ControlServer;
  #stopped = false;

  constructor(
    routes: readonly Route[],
    bounds: Partial<SocketBounds> = {},
    clock: Clock = this.clock,
  ) {
    const libc = Libc.open();
    const { logger, records } = collectedLog();
    this.records = records;
    const files = { directory: this.#directory, removeDirectory: false, group: null };
    this.#sockets = ControlSockets.open(files, libc);
    this.#server = ControlServer.open(this.#sockets, new Router(routes), {
      libc,
      clock,
      logger,
      bounds: { admin: { ...BOUNDS.admin, ...bounds }, user: { ...BOUNDS.user, ...bounds } },
    });
  }

  /** Path of a socket. */
  path(name: SocketName): string {
    return this.#sockets.path(name);
  }

  async connect(name: SocketName = "user"): Promise<Deno.UnixConn> {
    return await Deno.connect({ transport: "unix", path: this.path(name) });
  }

  /** Sends `text` as it is and reads to the end. */
  async send(text: string, name: SocketName = "user"): Promise<RawAnswer> {
    using client = await this.connect(name);
    await writeText(client, text);
    return parseAnswer(await readToEnd(client));
  }

  /** Asks for `path`. */
  async get(path: string, name: SocketName = "user"): Promise<RawAnswer> {
    return await this.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, name);
  }

  /** Sends `body` to `path`. */
  async post(path: string, body: unknown, name: SocketName = "user"): Promise<RawAnswer> {
    const text = JSON.stringify(body);
    const bytes = new TextEncoder().encode(text).length;
    return await this.send(
      `POST ${path} HTTP/1.1\r\nContent-Length: ${bytes}\r\n\r\n${text}`,
      name,
    );
  }

  /** Ends the server; what is under way ends with it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#server[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#stopped) await this.stop();
    this.#sockets[Symbol.dispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

/** Writes all of `text`. */
export async function writeText(client: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += await client.write(bytes.subarray(written));
  }
}

/** Everything up to the end of the connection. */
export async function readToEnd(client: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (let count = await client.read(buffer); count !== null; count = await client.read(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return text;
}

/** Splits what a server sent. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  return { status: Number(head.split(" ")[1]), head, body: text.slice(end + 4) };
}
