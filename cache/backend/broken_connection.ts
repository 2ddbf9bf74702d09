/** What it means that a `fetch` failed. */
import { StoreFault } from "./store_fault.ts";
import { REDACTED } from "../platform/secret.ts";

/** Why there is no answer. */
export type ConnectionProblem =
  | "refused"
  | "no address"
  | "not trusted"
  | "no TLS"
  | "reset"
  | "broken off"
  | "silent";

/** A failed `fetch` in words. */
export interface FailedConnection {
  readonly problem: ConnectionProblem;
  /** With the host that was asked. */
  readonly message: string;
  /** What the runtime says of it, without secrets. */
  readonly cause: Error;
}

/**
 * How to have another issuer of certificates trusted. Deno before 2.9 knows nothing of
 * NODE_EXTRA_CA_CERTS.
 */
export const TRUST = "Name a file with the certificate of its issuer, in PEM, in DENO_CERT";

/** The same where it is about a store. */
export const TRUST_STORE = `${TRUST}, or in ca_bundle of a backend of S3 or GCS`;

type Words = readonly [problem: ConnectionProblem, message: (host: string) => string];

/** What the runtime says of each problem, first match first, and what is said in its place. */
const SAYINGS: readonly (readonly [RegExp, ...Words])[] = [
  [/connection refused/i, "refused", (host) => `connection refused by ${host}`],
  [/dns error/i, "no address", (host) => `the name of ${host} cannot be resolved`],
  [
    /certificate|UnknownIssuer/i,
    "not trusted",
    (host) => `the certificate of ${host} is not trusted`,
  ],
  [/tls|handshake/i, "no TLS", (host) => `no TLS connection to ${host}`],
  [/reset|broken pipe/i, "reset", (host) => `the connection to ${host} was reset`],
  [
    /closed before message|reading a body|body from connection|end of file|unexpected eof/i,
    "broken off",
    (host) => `the connection to ${host} broke off`,
  ],
];
const SILENT: Words = ["silent", (host) => `no answer from ${host}`];

/** What to do where a store is what does not answer. */
const STORE_HINTS: Readonly<Record<ConnectionProblem, string | null>> = {
  "refused": "Check that the endpoint is right and the service runs",
  "no address":
    "Check account, region and endpoint of the backend, and the name server of this machine",
  "not trusted": TRUST_STORE,
  "no TLS": "Check whether the endpoint should start with http: instead of https:",
  "reset": null,
  "broken off": null,
  "silent": "Check the network to it",
};

/** What it means that `fetch` of `url` failed with `error`. */
export function failedConnection(error: unknown, url: string): FailedConnection {
  const text = redactUrls(chainText(error));
  const { host } = new URL(url);
  const [, ...words] = SAYINGS.find(([said]) => said.test(text)) ?? [null, ...SILENT];
  const [problem, message] = words;
  // The error itself would print the URL, and with it the signature of a SAS.
  return { problem, message: message(host), cause: new Error(text) };
}

/** The error that a failed `fetch` of `url`, at a store, stands for. */
export function brokenConnection(error: unknown, url: string): StoreFault {
  const { problem, message, cause } = failedConnection(error, url);
  return new StoreFault("unavailable", message, STORE_HINTS[problem], { cause });
}

/** `text` with the query of every URL in it blanked: that of a SAS is a credential. */
export function redactUrls(text: string): string {
  return text.replace(/(https?:\/\/[^\s?"')]*)\?[^\s"')]*/g, `$1?${REDACTED}`);
}

function chainText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${chainText(error.cause)}`;
}
