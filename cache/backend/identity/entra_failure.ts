/** What it means that there is no token to be had. */
import { describeError } from "../../platform/log.ts";
import { StoreFault } from "../store_fault.ts";

/**
 * Codes of the library for an issuer it did not reach: https://aka.ms/msal.js.errors. The second
 * one also stands for a tenant that does not exist, which nobody can tell from an outage.
 */
const UNREACHED = /\b(network_error|endpoints_resolution_error)\b/;

/**
 * The fault behind `error`, with which a request for a token failed: an outage where the issuer
 * gave no answer, or has given tokens before; else a mistake in the settings, told with `hint`.
 */
export function entraFailure(error: unknown, obtainedBefore: boolean, hint: string): StoreFault {
  // The first line names the fault; the rest are trace ids and advice for developers.
  const said = describeError(error).split("\n")[0]?.trim() ?? "";
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : null;
  const busy = typeof status === "number" && (status >= 500 || status === 429);
  return new StoreFault(
    busy || obtainedBefore || UNREACHED.test(said) ? "unavailable" : "denied",
    `no access token from Entra (${said})`,
    hint,
    { cause: error },
  );
}
