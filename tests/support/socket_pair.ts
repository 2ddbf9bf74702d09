/** A listening Unix socket in a directory of its own, with both ends of each connection. */
import { Libc } from "../../cache/platform/libc.ts";
import { Connection } from "../../mount/control/connection.ts";
import { Poller } from "../../mount/control/poller.ts";
import { FakeClock } from "./fake_clock.ts";

/** A connected client and what the server has of it. */
export interface SocketPair {
  readonly client: Deno.UnixConn;
  readonly connection: Connection;
}

/** Makes connections; disposing ends the poller and takes the socket away. */
export class SocketPairs implements AsyncDisposable {
  readonly libc = Libc.open();
  readonly clock = new FakeClock();
  readonly poller = Poller.open(this.libc);
  readonly #directory = Deno.makeTempDirSync({ prefix: "warpdrive-" });
  readonly #path = `${this.#directory}/socket`;
  readonly #fd = this.libc.sockets.bind(this.#path);

  constructor() {
    this.libc.sockets.listen(this.#fd, this.#path, 16);
  }

  /** A new connection. */
  async connect(): Promise<SocketPair> {
    const client = await Deno.connect({ transport: "unix", path: this.#path });
    const fd = this.libc.sockets.accept(this.#fd);
    return { client, connection: new Connection(fd, this.libc, this.poller, this.clock) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.poller[Symbol.asyncDispose]();
    this.libc.close(this.#fd);
    await Deno.remove(this.#directory, { recursive: true });
  }
}
