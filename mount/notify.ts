/**
 * Tells systemd how the mount is doing, by the protocol of sd_notify(3): datagrams of `KEY=value`
 * lines to the socket named by NOTIFY_SOCKET, and a heartbeat when a watchdog is set.
 */
import type { Clock } from "../cache/platform/clock.ts";
import type { Environment } from "../cache/platform/environment.ts";
import type { Logger } from "../cache/platform/log.ts";

/** What the service manager asked for. */
export interface NotifySettings {
  /** Path of the socket, or `@name` of an abstract one. */
  readonly socket: string;
  /** Pause between heartbeats; null when no watchdog watches this process. */
  readonly heartbeatMs: number | null;
}

/** The service manager's wishes in `environment`, or null when there is none. */
export function notifySettings(environment: Environment, pid: number): NotifySettings | null {
  const socket = environment.get("NOTIFY_SOCKET") ?? "";
  // sd_notify(3) knows also vsock addresses, which reach out of a virtual machine.
  if (!/^[/@]./.test(socket)) return null;
  return { socket, heartbeatMs: heartbeatMs(environment, pid) };
}

function heartbeatMs(environment: Environment, pid: number): number | null {
  const watched = environment.get("WATCHDOG_PID");
  // Without WATCHDOG_PID the watchdog is for whoever sees the variable (sd_watchdog_enabled(3)).
  if (watched !== undefined && Number(watched) !== pid) return null;
  const limitUs = Number(environment.get("WATCHDOG_USEC") ?? 0);
  // Half of the limit, as sd_watchdog_enabled(3) recommends, so that one late beat is harmless.
  return limitUs > 0 && Number.isFinite(limitUs) ? limitUs / 2 / 1_000 : null;
}

/** What a heartbeat needs. */
export interface Heartbeat {
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Whether the process can serve; false holds the beat back. */
  readonly alive: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * Speaks to the service manager. Its absence or refusal is logged and never fails the mount.
 */
export class ServiceNotifier {
  readonly #send: (message: string) => void;
  readonly #logger: Logger;

  /** @param send Sends one datagram to the socket of {@linkcode NotifySettings}. */
  constructor(send: (message: string) => void, logger: Logger) {
    this.#send = send;
    this.#logger = logger;
  }

  /** The mount is there and listable. */
  ready(status: string): void {
    this.#notify(`READY=1\nSTATUS=${oneLine(status)}`);
  }

  /** A line that `systemctl status` shows. */
  status(status: string): void {
    this.#notify(`STATUS=${oneLine(status)}`);
  }

  /** The mount is going away. */
  stopping(status: string): void {
    this.#notify(`STOPPING=1\nSTATUS=${oneLine(status)}`);
  }

  /** Sends heartbeats until `signal` aborts; then it resolves. */
  async beat(heartbeat: Heartbeat, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await heartbeat.alive(signal)) this.#notify("WATCHDOG=1");
        else this.#logger.error("The mount does not answer: watchdog heartbeat held back");
        await heartbeat.clock.sleep(heartbeat.intervalMs, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #notify(message: string): void {
    try {
      this.#send(message);
    } catch (error) {
      this.#logger.warn("Cannot notify the service manager", { error });
    }
  }
}

/** A newline would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}
