import type { Channel, Received } from "../../mount/fuse/device.ts";
import type { Message } from "../../mount/fuse/encode.ts";

/** One message written to the kernel. */
export interface Sent {
  readonly unique: number;
  /** 0 or a positive errno. */
  readonly errno: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

const ENOENT = 2;
const EINVAL = 22;
/** Opcodes that take no reply: FORGET, BATCH_FORGET, INTERRUPT. */
const WITHOUT_REPLY = [2, 42, 36];

/**
 * The kernel's side of a descriptor: hands out messages, and takes exactly one reply to each, as
 * fs/fuse/dev.c does.
 */
export class FakeChannel implements Channel {
  /** Replies taken, in order. */
  readonly replies: Sent[] = [];
  /** Writes that were refused because nothing waits for them. */
  readonly refused: Sent[] = [];
  readonly notifications: Uint8Array[] = [];
  readonly #queue: Received[] = [];
  readonly #pending = new Set<number>();
  /** What writing the reply to a request comes to, instead of being taken. */
  readonly #failures = new Map<number, number>();
  readonly #waiting = new Map<number, PromiseWithResolvers<Sent>>();
  #readable = Promise.withResolvers<void>();
  #end: number | null = null;

  /** Queues messages and wakes the reader. */
  push(...messages: readonly Uint8Array<ArrayBuffer>[]): void {
    for (const bytes of messages) {
      this.#queue.push({ kind: "again" }, { kind: "message", bytes, length: bytes.length });
    }
    this.#readable.resolve();
  }

  /** Ends the connection: every read fails with `errno` once the queue is empty. */
  end(errno: number): void {
    this.#end = errno;
    this.#readable.resolve();
  }

  /** Makes the next write for request `unique` fail. */
  failReply(unique: number, errno: number): void {
    this.#failures.set(unique, errno);
  }

  /** The reply to request `unique`, as soon as it is written. */
  async reply(unique: number): Promise<Sent> {
    const found = this.replies.find((sent) => sent.unique === unique);
    if (found !== undefined) return found;
    const waiting = this.#waiting.get(unique) ?? Promise.withResolvers<Sent>();
    this.#waiting.set(unique, waiting);
    return await waiting.promise;
  }

  receive(): Received {
    const next = this.#queue.shift();
    if (next === undefined) {
      return this.#end === null ? { kind: "empty" } : { kind: "ended", errno: this.#end };
    }
    if (next.kind === "message" && next.length >= 16) {
      const view = new DataView(next.bytes.buffer);
      const unique = Number(view.getBigUint64(8, true));
      if (!WITHOUT_REPLY.includes(view.getUint32(4, true))) this.#pending.add(unique);
    }
    return next;
  }

  async waitReadable(): Promise<void> {
    if (this.#queue.length > 0 || this.#end !== null) return;
    this.#readable = Promise.withResolvers<void>();
    await this.#readable.promise;
  }

  send(message: Message): number {
    const bytes = new Uint8Array([...message.head, ...message.tail ?? []]);
    const view = new DataView(bytes.buffer);
    const unique = Number(view.getBigUint64(8, true));
    const sent = { unique, errno: Math.abs(view.getInt32(4, true)), body: bytes.slice(16) };
    if (view.getUint32(0, true) !== bytes.length) return EINVAL;
    const failure = this.#failures.get(unique);
    this.#failures.delete(unique);
    // A reply of the wrong shape leaves its request pending; a caller that is gone does not.
    if (failure !== undefined && failure !== EINVAL) this.#pending.delete(unique);
    if (failure !== undefined) return failure;
    if (this.#end !== null) return this.#end;
    if (!this.#pending.delete(unique)) {
      this.refused.push(sent);
      return ENOENT;
    }
    this.replies.push(sent);
    this.#waiting.get(unique)?.resolve(sent);
    return 0;
  }

  notify(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    this.notifications.push(bytes);
    return Promise.resolve(true);
  }
}
