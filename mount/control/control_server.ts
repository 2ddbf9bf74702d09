/** Serves the calls of a mount on its control sockets. */
import type { Clock } from "../../cache/platform/clock.ts";
import { ERRNO, errnoName } from "../../cache/platform/errno.ts";
import type { Libc } from "../../cache/platform/libc.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { Logger } from "../../cache/platform/log.ts";
import { within } from "../../cache/platform/within.ts";
import { BodyBudget } from "./body_budget.ts";
import { Connection } from "./connection.ts";
import { type ConnectionBounds, ConnectionLimit } from "./connection_limit.ts";
import type { ControlSockets } from "./control_sockets.ts";
import { exchange } from "./exchange.ts";
import { Poller } from "./poller.ts";
import { RateLimit, type RateSettings } from "./rate_limit.ts";
import { type Refused, refused, type SocketName } from "./route.ts";
import type { Router } from "./router.ts";

/** Clients taken before others get their turn. */
const ACCEPTS_PER_TURN = 64;
/** Pause where the process has no descriptor left. */
const FULL_PAUSE_MS = 100;
/** Longest wait for calls under way to end when the mount stops. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Bounds of one socket. */
export interface SocketBounds extends ConnectionBounds {
  /** Memory for the bodies of all requests that are being read. */
  readonly bodiesBytesMax: number;
  /** Null: as often as they like. */
  readonly rate: RateSettings | null;
}

/** A training job has a plan per process, each of which holds a connection as long as it runs. */
export const BOUNDS: Readonly<Record<SocketName, SocketBounds>> = {
  admin: {
    connectionsMax: 64,
    connectionsOfUserMax: 64,
    bodiesBytesMax: 64 * 1024 * 1024,
    rate: null,
  },
  user: {
    connectionsMax: 1_024,
    connectionsOfUserMax: 512,
    bodiesBytesMax: 64 * 1024 * 1024,
    rate: { perSecond: 100, burst: 200, usersMax: 1_024 },
  },
};

/** What serving needs. */
export interface ControlServerDeps {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds: Readonly<Record<SocketName, SocketBounds>>;
}

/** Answers until it is disposed; the sockets are the caller's. */
export class ControlServer implements AsyncDisposable {
  readonly #sockets: ControlSockets;
  readonly #router: Router;
  readonly #deps: ControlServerDeps;
  readonly #poller: Poller;
  readonly #stopping = new AbortController();
  readonly #tasks: TaskGroup;

  /** Begins to take clients. */
  static open(sockets: ControlSockets, router: Router, deps: ControlServerDeps): ControlServer {
    return new ControlServer(sockets, router, deps, Poller.open(deps.libc));
  }

  private constructor(
    sockets: ControlSockets,
    router: Router,
    deps: ControlServerDeps,
    poller: Poller,
  ) {
    this.#sockets = sockets;
    this.#router = router;
    this.#deps = deps;
    this.#poller = poller;
    this.#tasks = new TaskGroup((error) => deps.logger.error("Lose a control task", { error }));
    for (const [name, fd] of sockets.listening) this.#tasks.add(this.#accept(name, fd));
  }

  /** Ends the calls under way and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error("The mount is stopping"));
    const { clock, logger } = this.#deps;
    const late = () => new Error("Control calls did not end in time");
    try {
      await within(this.#tasks.settled(), CLOSE_TIMEOUT_MS, clock, late);
    } catch (error) {
      logger.warn("Leave control calls under way", { error });
    }
    await this.#poller[Symbol.asyncDispose]();
  }

  async #accept(name: SocketName, fd: number): Promise<void> {
    const { libc, clock, logger, bounds } = this.#deps;
    const door = new Door(name, bounds[name], this.#sockets.adminGroup, this.#deps);
    const signal = this.#stopping.signal;
    while (!signal.aborted) {
      await this.#poller.wait(fd, "readable", signal).catch(() => undefined);
      for (let taken = 0; taken < ACCEPTS_PER_TURN && !signal.aborted; taken += 1) {
        const accepted = libc.sockets.accept(fd);
        if (accepted >= 0) {
          this.#admit(new Connection(accepted, libc, this.#poller, clock), door);
          continue;
        }
        if (accepted === -ERRNO.EAGAIN) break;
        // Out of descriptors, or the client left before it was accepted: neither ends the server.
        logger.warn("Cannot accept a control connection", { reason: errnoName(-accepted) });
        await clock.sleep(FULL_PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  #admit(connection: Connection, door: Door): void {
    const { uid, gid, pid } = connection.peer;
    const rate = door.rate.take(uid);
    const place = rate.kind === "dropped" ? null : door.place(uid);
    if (rate.kind === "dropped" || place === null) return connection[Symbol.dispose]();
    const { clock, logger } = this.#deps;
    const caller = { uid, gid, groups: connection.peerGroups(), pid, socket: door.name };
    const refusal = place.refusal ?? door.refusal(connection);
    const client = { connection, caller, refusal, rate };
    const deps = { router: this.#router, bodies: door.bodies, clock, logger };
    const serving = exchange(client, { ...deps, stopping: this.#stopping.signal });
    this.#tasks.add(serving.finally(() => place.held[Symbol.dispose]()));
  }
}

const TOO_MANY = refused(
  "unavailable",
  "Connect to a control socket: there are as many connections as it holds",
  "Close some, or ask again in a moment",
);

/** Connections that are only told that there are too many. */
const TURNED_AWAY: ConnectionBounds = { connectionsMax: 32, connectionsOfUserMax: 8 };

/** A connection's place; `refusal` is why it may do nothing there. */
interface Place {
  readonly held: Disposable;
  readonly refusal: Refused | null;
}

/** What stands at one socket: who comes in, how many at once, how often. */
class Door {
  readonly #connections: ConnectionLimit;
  readonly #turnedAway = new ConnectionLimit(TURNED_AWAY);
  readonly bodies: BodyBudget;
  readonly rate: Pick<RateLimit, "take">;
  readonly #libc: Libc;

  constructor(
    readonly name: SocketName,
    bounds: SocketBounds,
    readonly adminGroup: number | null,
    { libc, clock }: ControlServerDeps,
  ) {
    this.#libc = libc;
    this.#connections = new ConnectionLimit(bounds);
    this.bodies = new BodyBudget(bounds.bodiesBytesMax);
    this.rate = bounds.rate === null
      ? { take: () => ({ kind: "granted" }) }
      : new RateLimit(bounds.rate, clock);
  }

  /** A place for a connection of `uid`; null when there is none even for telling so. */
  place(uid: number): Place | null {
    const held = this.#connections.take(uid);
    if (held !== null) return { held, refusal: null };
    const outside = this.#turnedAway.take(uid);
    return outside === null ? null : { held: outside, refusal: TOO_MANY };
  }

  /**
   * Why this client may do nothing here; null when it may. Permissions of the file say the same,
   * until somebody copies the socket's place into a container, or changes them.
   */
  refusal(connection: Connection): Refused | null {
    if (this.name === "user") return null;
    const { uid, gid } = connection.peer;
    if (uid === 0 || uid === this.#libc.effectiveUid()) return null;
    const group = this.adminGroup;
    if (group !== null && (gid === group || connection.peerGroups().includes(group))) return null;
    return refused(
      "forbidden",
      `Use admin.sock as user ${uid}: wanted root, the mounting user or a member of control.group`,
      "Ask through user.sock, or set control.group to a group of yours",
    );
  }
}
