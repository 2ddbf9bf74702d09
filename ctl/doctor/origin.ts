/** One service that backends talk to, and what several checks want to know of it, asked once. */
import { bad, type Finding, skipped } from "../../cache/platform/finding.ts";
import { describeError } from "../../cache/platform/log.ts";
import type { Network, ServerDate } from "./network.ts";

/** A service by its URL. */
export class Origin {
  readonly url: URL;
  /** The proxy on the way to it, without password; null when there is none. */
  readonly proxy: string | null;
  readonly network: Network;
  #addresses: Promise<readonly string[]> | null = null;
  #date: Promise<ServerDate | null> | null = null;

  constructor(url: URL, proxy: string | null, network: Network) {
    this.url = url;
    this.proxy = proxy;
    this.network = network;
  }

  addresses(): Promise<readonly string[]> {
    this.#addresses ??= this.network.resolve(this.url.hostname);
    return this.#addresses;
  }

  /** Its clock. Whoever asks first decides with `signal` how long everybody waits. */
  date(signal: AbortSignal): Promise<ServerDate | null> {
    this.#date ??= this.network.date(this.url, signal);
    return this.#date;
  }

  /**
   * How far the clock of this machine is ahead of its own, in milliseconds; null when nobody could
   * say. A `Date` has whole seconds, and the answer took a while: less than a second means nothing.
   */
  async skewMs(signal: AbortSignal): Promise<number | null> {
    try {
      const date = await this.date(signal);
      return date === null ? null : skewOf(date);
    } catch {
      // The check of the clock says why.
      return null;
    }
  }

  /** What a check of the straight way to it says when there is a proxy; null when there is none. */
  proxied(subject: string): Finding | null {
    return this.proxy === null ? null : skipped(subject, `requests go through ${this.proxy}`);
  }
}

/** How far the clock of this machine is ahead. */
export function skewOf({ dateMs, askedMs, answeredMs }: ServerDate): number {
  return (askedMs + answeredMs) / 2 - (dateMs + 500);
}

/** What a check says of a service that did not answer. */
export function noAnswer(subject: string, error: unknown, remedy: string): Finding {
  return bad(subject, describeError(error), remedy);
}
