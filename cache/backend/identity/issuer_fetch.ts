/**
 * Requests to those who give out credentials, also for the libraries that know what to ask them.
 * `fetch` is asked by way of the proxy of the environment, where the libraries' own clients hang up
 * in Deno before 2.9 or take services of the machine itself for far away, and says what failed.
 */
import { withTimeout } from "../abort_scope.ts";
import { failedConnection, TRUST } from "../broken_connection.ts";
import { StoreFault } from "../store_fault.ts";
import { IssuerError } from "./issuer_error.ts";
import type { Clock } from "../../platform/clock.ts";

/** Statuses that no body may come with. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** A request; all of them can be aborted. */
export interface IssuerRequest extends RequestInit {
  readonly signal: AbortSignal;
}

/** Where an issuer is: of the machine itself there may be none, which no network helps. */
export type IssuerPlace = "this machine" | "elsewhere";

/** How long one is waited for: less than who asks it for somebody waits, so that it is named. */
const SILENT_MS_MAX: Readonly<Record<IssuerPlace, number>> = {
  "this machine": 5_000,
  "elsewhere": 8_000,
};

/**
 * The answer of the issuer at `url`, complete; `place` is where it is.
 *
 * @throws {IssuerError} when there is none.
 */
export async function fetchIssuer(
  url: string,
  request: IssuerRequest,
  place: IssuerPlace,
  clock: Clock,
): Promise<Response> {
  const silent = () => new Error("Nothing came");
  const ask = async (signal: AbortSignal) => {
    // Followed, a redirect would take the proof of who we are to whoever it names.
    const response = await fetch(url, { ...request, redirect: "manual", signal });
    const { status, headers } = response;
    const body = await response.bytes();
    return new Response(BODILESS.has(status) ? null : body, { status, headers });
  };
  try {
    return await withTimeout(request.signal, SILENT_MS_MAX[place], clock, silent, ask);
  } catch (error) {
    request.signal.throwIfAborted();
    throw unreachedIssuer(error, url, place);
  }
}

/** What it means that `fetch` of `url` failed with `error`. */
export function unreachedIssuer(error: unknown, url: string, place: IssuerPlace): IssuerError {
  const { problem, message, cause } = failedConnection(error, url);
  const far = problem === "not trusted"
    ? TRUST
    : `Check the network to ${new URL(url).host}, and HTTPS_PROXY where a proxy is on the way`;
  const hint = place === "this machine" ? null : far;
  const fault = new StoreFault("unavailable", message, hint, { cause });
  return new IssuerError(message, null, { cause: fault });
}
