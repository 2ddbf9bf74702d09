/**
 * Serves one mounted descriptor: handshake, requests, interrupts, exactly one reply each.
 *
 *     connecting ──INIT agreed──▶ serving ──ENODEV, ECONNABORTED──▶ ended
 *          └──────INIT refused, device gone──────────────────────────▲
 *
 * connecting → serving   {@linkcode Session.connect}
 * connecting → ended     {@linkcode Session.connect}, which throws
 * serving    → ended     {@linkcode Session.serve}, which then returns
 *
 * Invariants:
 * 1. A request is in `#inFlight` from the moment its handler returned a promise until its one
 *    reply is written; whoever removes it from there writes that reply.
 * 2. A reply that was not delivered is withdrawn, which undoes what it promised.
 * 3. Nothing here waits for a disk, a network or the kernel, except for the next request.
 *
 * The loop waits for readability on a blocking thread and then reads until the queue is empty:
 * errno of a synchronous read is reliable, and requests that need no waiting are answered without
 * a turn of the event loop (measured: 77-112k requests/s, against 19-54k with awaited reads).
 */
import { setImmediate } from "node:timers";
import { assert } from "../../cache/platform/assert.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { Logger } from "../../cache/platform/log.ts";
import { decode, type Decoded, UNKNOWN_OPERATION } from "./decode.ts";
import type { Channel } from "./device.ts";
import { encodeInit, encodeInitError, encodeNotification, ReplyEncoder } from "./encode.ts";
import { type KernelFeatures, negotiate, type Wanted } from "./handshake.ts";
import type {
  Handler,
  InitRequest,
  LazySignal,
  Notification,
  Reply,
  Request,
  RequestId,
} from "./messages.ts";

/** Requests handled before other work of the event loop gets its turn. */
const TURN_REQUESTS_MAX = 256;
/** Longest turn; a burst of 1 MiB reads would otherwise keep timers and sockets waiting. */
const TURN_MS_MAX = 2;
/**
 * Reads of an empty queue before waiting on a thread: the next request of a busy client is often
 * only microseconds away, a thread wake-up costs tens of them.
 */
const EMPTY_READS_MAX = 60;
/** A caller that a signal reached is let go after this long, unless it is being killed. */
const INTERRUPT_GRACE_MS = 1_000;
/** How often a caller in its grace is checked for SIGKILL, which sends no second INTERRUPT. */
const KILL_CHECK_MS = 50;

/** What the session needs from outside. */
export interface SessionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns what records the duration of one operation, in seconds. */
  readonly recorder: (operation: string) => (seconds: number) => void;
  /** Whether SIGKILL is pending for the thread, or it no longer exists. */
  readonly isBeingKilled: (pid: number) => boolean;
  /** Log every request (`fuse_debug`). */
  readonly trace: boolean;
}

interface InFlight extends LazySignal {
  readonly request: Request;
  readonly opName: string;
  readonly startedMs: number;
  interrupted: boolean;
  abort(): void;
}

type State =
  | { readonly phase: "connecting" }
  | { readonly phase: "serving"; readonly features: KernelFeatures }
  | { readonly phase: "ended"; readonly reason: string };

/** How a turn of the loop ends: nothing is queued, more is, or the mount is gone. */
type Turn =
  | { readonly kind: "idle" }
  | { readonly kind: "busy" }
  | { readonly kind: "ended"; readonly reason: string };

const IDLE: Turn = { kind: "idle" };
const BUSY: Turn = { kind: "busy" };

/** The handshake failed: the mount cannot be served. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}

/** A conversation with the kernel over one mount. */
export class Session {
  readonly #device: Channel;
  readonly #deps: SessionDeps;
  readonly #encoder = new ReplyEncoder();
  readonly #inFlight = new Map<RequestId, InFlight>();
  readonly #recorders = new Map<string, (seconds: number) => void>();
  readonly #answers: TaskGroup;
  /** Aborts when the session has ended. */
  readonly #over = new AbortController();
  #state: State = { phase: "connecting" };

  constructor(device: Channel, deps: SessionDeps) {
    this.#device = device;
    this.#deps = deps;
    this.#answers = new TaskGroup((error) => deps.logger.error("Lose a reply", { error }));
  }

  /** Requests that wait for their answer here. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Answers INIT and returns what was agreed.
   *
   * @throws {HandshakeError} when kernel and program do not understand each other.
   */
  async connect(wanted: Wanted): Promise<KernelFeatures> {
    assert(this.#state.phase === "connecting", "A session connects once");
    for (;;) {
      const init = await this.#nextInit();
      const handshake = negotiate(init, wanted);
      switch (handshake.kind) {
        case "retry":
          this.#device.send({ head: encodeInit(init, null), tail: null });
          continue;
        case "refused":
          this.#device.send({ head: encodeInitError(init), tail: null });
          this.#state = { phase: "ended", reason: handshake.reason };
          throw new HandshakeError(`Cannot serve the mount: ${handshake.reason}`);
        case "agreed": {
          const reply = { head: encodeInit(init, handshake.reply), tail: null };
          const errno = this.#device.send(reply);
          if (errno !== 0) throw this.#ended(`INIT was not accepted (${errnoName(errno)})`);
          this.#state = { phase: "serving", features: handshake.features };
          return handshake.features;
        }
      }
    }
  }

  /** Serves requests with `handler` until the mount is gone; returns why it ended. */
  async serve(handler: Handler): Promise<string> {
    assert(this.#state.phase === "serving", "A session serves after its handshake");
    for (;;) {
      const turn = this.#turn(handler);
      if (turn.kind === "idle") await this.#device.waitReadable();
      if (turn.kind === "busy") await new Promise<void>((resolve) => setImmediate(resolve));
      if (turn.kind === "ended") {
        this.#state = { phase: "ended", reason: turn.reason };
        // The kernel has let every caller go.
        this.#over.abort();
        for (const flight of this.#inFlight.values()) flight.abort();
        await this.#answers.settled();
        return turn.reason;
      }
    }
  }

  /** Tells the kernel something; whether it accepted. May wait for locks in the kernel. */
  async notify(notification: Notification): Promise<boolean> {
    if (this.#state.phase !== "serving") return false;
    return await this.#device.notify(encodeNotification(notification));
  }

  async #nextInit(): Promise<InitRequest> {
    for (;;) {
      const received = this.#device.receive();
      if (received.kind === "ended") throw this.#ended(errnoName(received.errno));
      if (received.kind === "empty") await this.#device.waitReadable();
      if (received.kind !== "message") continue;
      const decoded = decode(received.bytes, received.length);
      if (decoded.kind === "init") return decoded.init;
      this.#deps.logger.warn("Ignore a message before INIT", { kind: decoded.kind });
    }
  }

  #ended(reason: string): HandshakeError {
    this.#state = { phase: "ended", reason };
    return new HandshakeError(`Cannot serve the mount: ${reason}`);
  }

  /** Handles what is queued, up to the length of a turn. */
  #turn(handler: Handler): Turn {
    const endMs = this.#deps.clock.monotonicMs() + TURN_MS_MAX;
    let emptyReads = 0;
    for (let handled = 0; handled < TURN_REQUESTS_MAX;) {
      const received = this.#device.receive();
      switch (received.kind) {
        case "message":
          handled += 1;
          emptyReads = 0;
          if (this.#dispatch(handler, decode(received.bytes, received.length)) > endMs) {
            return BUSY;
          }
          break;
        case "empty":
          emptyReads += 1;
          // Somebody waits for an answer that needs this thread: let it come.
          if (this.#inFlight.size > 0) return IDLE;
          if (handled === 0 || emptyReads > EMPTY_READS_MAX) return IDLE;
          break;
        case "again":
          break;
        case "ended":
          return { kind: "ended", reason: endReason(received.errno) };
      }
    }
    return BUSY;
  }

  /** Handles one message and returns the time it was done. */
  #dispatch(handler: Handler, decoded: Decoded): number {
    switch (decoded.kind) {
      case "request":
        return this.#serveRequest(handler, decoded.request, decoded.opName);
      case "interrupt":
        this.#interrupt(decoded.target);
        break;
      case "init":
        this.#deps.logger.error("Ignore a second INIT");
        break;
      case "malformed": {
        const { id, reason } = decoded.message;
        this.#deps.logger.error("Refuse a malformed kernel message", { id, reason });
        if (id !== null) this.#write(id, { kind: "error", errno: ERRNO.EINVAL });
        break;
      }
    }
    return this.#deps.clock.monotonicMs();
  }

  #serveRequest(handler: Handler, request: Request, opName: string): number {
    const startedMs = this.#deps.clock.monotonicMs();
    const flight = inFlight(request, opName, startedMs);
    if (opName === UNKNOWN_OPERATION) {
      this.#deps.logger.warn("Answer an operation this program does not know", { request });
    }
    if (this.#deps.trace) {
      const { id, node, pid } = request;
      this.#deps.logger.info(`FUSE ${opName}`, { id, node, pid });
    }
    let result: Reply | Promise<Reply>;
    try {
      result = handler.handle(request, flight);
    } catch (error) {
      result = this.#escaped(opName, error);
    }
    if (!(result instanceof Promise)) return this.#finish(flight, result);
    this.#inFlight.set(request.id, flight);
    this.#answers.add(this.#answerLater(flight, result));
    return startedMs;
  }

  async #answerLater(flight: InFlight, result: Promise<Reply>): Promise<void> {
    const { request, opName } = flight;
    const reply = await result.catch((error: unknown) => this.#escaped(opName, error));
    if (this.#inFlight.delete(request.id)) this.#finish(flight, reply);
    else withdraw(reply);
  }

  /** An error that no code below made into a reply is a bug: the caller gets EIO, the log all. */
  #escaped(opName: string, error: unknown): Reply {
    this.#deps.logger.error(`Fail ${opName} after an unexpected error`, { error });
    return { kind: "error", errno: ERRNO.EIO };
  }

  #finish(flight: InFlight, reply: Reply): number {
    const errno = this.#write(flight.request.id, reply);
    if (errno === 0) {
      if (reply.kind === "bytes") reply.release();
    } else {
      withdraw(reply);
    }
    const nowMs = this.#deps.clock.monotonicMs();
    this.#record(flight.opName, (nowMs - flight.startedMs) / 1_000);
    return nowMs;
  }

  /** Writes a reply; 0 or the errno for which the kernel did not take it. */
  #write(id: RequestId, reply: Reply): number {
    const message = this.#encoder.encode(id, reply);
    if (message === null) return 0;
    const errno = this.#device.send(message);
    // ENOENT: the caller is gone. ENODEV and its kin: the mount is. Neither needs an answer.
    if (errno === ERRNO.EINVAL) {
      this.#deps.logger.error("Kernel refused a reply", { id, kind: reply.kind });
      // Refused for its length the request is still pending; otherwise this says ENOENT.
      this.#device.send(
        this.#encoder.encode(id, { kind: "error", errno: ERRNO.EIO }) ?? message,
      );
    }
    return errno;
  }

  #record(opName: string, seconds: number): void {
    let record = this.#recorders.get(opName);
    if (record === undefined) {
      record = this.#deps.recorder(opName);
      this.#recorders.set(opName, record);
    }
    record(seconds);
  }

  /**
   * Any signal sends INTERRUPT, also timers and SIGCHLD, so answering at once would keep a reader
   * with a 5 ms timer from ever finishing. Only a caller that is being killed is let go at once.
   */
  #interrupt(target: RequestId): void {
    const flight = this.#inFlight.get(target);
    if (flight === undefined || flight.interrupted) return;
    flight.interrupted = true;
    this.#answers.add(this.#letGo(flight));
  }

  /** Answers for `flight` when its caller is killed or its grace is over, unless it is answered. */
  async #letGo(flight: InFlight): Promise<void> {
    const { clock, isBeingKilled } = this.#deps;
    const { id, pid } = flight.request;
    const endMs = clock.monotonicMs() + INTERRUPT_GRACE_MS;
    while (clock.monotonicMs() < endMs && !isBeingKilled(pid)) {
      // The sleep rejects only because the session is over.
      await clock.sleep(KILL_CHECK_MS, this.#over.signal).catch(() => undefined);
      if (this.#over.signal.aborted || this.#inFlight.get(id) !== flight) return;
    }
    this.#inFlight.delete(id);
    flight.abort();
    this.#finish(flight, { kind: "error", errno: ERRNO.EINTR });
  }
}

function inFlight(request: Request, opName: string, startedMs: number): InFlight {
  let controller: AbortController | null = null;
  let aborted = false;
  return {
    request,
    opName,
    startedMs,
    interrupted: false,
    get() {
      controller ??= new AbortController();
      if (aborted) controller.abort();
      return controller.signal;
    },
    abort() {
      aborted = true;
      controller?.abort();
    },
  };
}

/** Undoes what `reply` would have made the kernel count. */
function withdraw(reply: Reply): void {
  switch (reply.kind) {
    case "bytes":
      return reply.release();
    case "entry":
    case "opened":
    case "records":
      return reply.withdraw();
    default:
  }
}

function endReason(errno: number): string {
  switch (errno) {
    case ERRNO.ENODEV:
      return "unmounted";
    case ERRNO.ECONNABORTED:
      return "connection aborted";
    default:
      return errnoName(errno);
  }
}
