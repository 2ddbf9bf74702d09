/** The socket of a service manager, as sd_notify(3) describes it. */
import { cString } from "../../cache/platform/libc.ts";
import { Posix } from "./posix.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const WAIT_SECONDS_MAX = 30n;
const DATAGRAM_BYTES_MAX = 4_096;

/** Receives what a service tells. On libc, because Deno's own datagram sockets are unstable. */
export class NotifySocket implements Disposable {
  readonly #posix: Posix;
  readonly #fd: number;

  private constructor(posix: Posix, fd: number) {
    this.#posix = posix;
    this.#fd = fd;
  }

  /** Listens at `path`. */
  static async listen(path: string): Promise<NotifySocket> {
    const posix = new Posix();
    const fd = await posix.done("socket", AF_UNIX, SOCK_DGRAM, 0);
    const address = new Uint8Array([AF_UNIX, 0, ...cString(path)]);
    await posix.done("bind", fd, address, address.length);
    const timeout = new Uint8Array(new BigUint64Array([WAIT_SECONDS_MAX, 0n]).buffer);
    await posix.done("setsockopt", fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    return new NotifySocket(posix, fd);
  }

  /** The variables of the next datagram. */
  async receive(): Promise<ReadonlyMap<string, string>> {
    const text = new TextDecoder().decode(
      await this.#posix.readStream(this.#fd, DATAGRAM_BYTES_MAX),
    );
    return new Map(
      text.split("\n").map((line) => {
        const equals = line.indexOf("=");
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#posix[Symbol.dispose]();
  }
}
