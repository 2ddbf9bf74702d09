/** Bytes to and from one client of a control socket. */
import type { Clock } from "../../cache/platform/clock.ts";
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import type { Libc, Memory } from "../../cache/platform/libc.ts";
import type { PeerCredentials } from "../../cache/platform/libc_sockets.ts";
import { inTime } from "./in_time.ts";
import type { Poller } from "./poller.ts";

/** Longest time a client may leave an answer untaken; someone who paused a program comes back. */
export const UNTAKEN_MS_MAX = 60_000;

/** The client is gone, or as good as. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** An accepted socket, owned until it is disposed. */
export class Connection implements Disposable {
  /** Who connected. */
  readonly peer: PeerCredentials;
  readonly #fd: number;
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #clock: Clock;

  constructor(fd: number, libc: Libc, poller: Poller, clock: Clock) {
    this.peer = libc.sockets.peer(fd);
    this.#fd = fd;
    this.#libc = libc;
    this.#poller = poller;
    this.#clock = clock;
  }

  /** Supplementary groups of who connected. */
  peerGroups(): readonly number[] {
    return this.#libc.sockets.peerGroups(this.#fd);
  }

  /**
   * Reads what has come; the number of bytes, 0 at the end.
   *
   * @throws {ConnectionLost} when the client is gone.
   */
  async read(into: Memory, signal: AbortSignal): Promise<number> {
    for (;;) {
      const count = this.#libc.sockets.receive(this.#fd, into);
      if (count >= 0) return count;
      if (count !== -ERRNO.EAGAIN) throw lost(count);
      await this.#poller.wait(this.#fd, "readable", signal);
    }
  }

  /**
   * Writes all of `bytes`.
   *
   * @throws {ConnectionLost} when the client is gone, or takes nothing for a minute.
   */
  async write(bytes: Memory, signal: AbortSignal): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const count = this.#libc.sockets.send(this.#fd, bytes.subarray(written));
      if (count >= 0) written += count;
      else if (count === -ERRNO.EAGAIN) await this.#room(signal);
      else throw lost(count);
    }
  }

  /** Sends `bytes` as far as there is room, and waits for nothing. */
  writeNow(bytes: Memory): void {
    this.#libc.sockets.send(this.#fd, bytes);
  }

  /** Tells the client that nothing follows. */
  endWriting(): void {
    this.#libc.sockets.endWriting(this.#fd);
  }

  /** Resolves when the client has closed its end; a half-closed one is still there. */
  async gone(signal: AbortSignal): Promise<void> {
    await this.#poller.wait(this.#fd, "gone", signal);
  }

  /** Closes it; nobody reads, writes or waits any more. */
  [Symbol.dispose](): void {
    this.#libc.sockets.close(this.#fd);
  }

  async #room(signal: AbortSignal): Promise<void> {
    const late = new ConnectionLost("The client takes nothing of its answer");
    await inTime(
      UNTAKEN_MS_MAX,
      this.#clock,
      signal,
      late,
      (limited) => this.#poller.wait(this.#fd, "writable", limited),
    );
  }
}

function lost(result: number): ConnectionLost {
  return new ConnectionLost(`The client is gone (${errnoName(-result)})`);
}
