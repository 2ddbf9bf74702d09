/** What it means that a `fetch` failed. */
import { StoreFault } from "./store_fault.ts";
import { REDACTED } from "../platform/secret.ts";

/** The error that a failed `fetch` of `url` stands for. */
export function brokenConnection(error: unknown, url: string): StoreFault {
  const text = redactUrls(chainText(error));
  const host = new URL(url).host;
  // The cause would print the URL, and with it the signature of a SAS.
  const options = { cause: new Error(text) };
  if (/connection refused/i.test(text)) {
    return new StoreFault(
      "unavailable",
      `connection refused by ${host}`,
      "Check that the endpoint is right and the service runs",
      options,
    );
  }
  if (/dns error/i.test(text)) {
    return new StoreFault(
      "unavailable",
      `the name of ${host} cannot be resolved`,
      "Check account, region and endpoint of the backend, and the name server of this machine",
      options,
    );
  }
  if (/certificate|UnknownIssuer/i.test(text)) {
    return new StoreFault(
      "unavailable",
      `the certificate of ${host} is not trusted`,
      "Name the file of its issuer in NODE_EXTRA_CA_CERTS",
      options,
    );
  }
  if (/tls|handshake/i.test(text)) {
    return new StoreFault(
      "unavailable",
      `no TLS connection to ${host}`,
      "Check whether the endpoint should start with http: instead of https:",
      options,
    );
  }
  if (/reset|broken pipe/i.test(text)) {
    return new StoreFault("unavailable", `the connection to ${host} was reset`, null, options);
  }
  if (
    /closed before message|reading a body|body from connection|end of file|unexpected eof/i.test(
      text,
    )
  ) {
    return new StoreFault("unavailable", `the connection to ${host} broke off`, null, options);
  }
  return new StoreFault(
    "unavailable",
    `no answer from ${host}`,
    "Check the network to it",
    options,
  );
}

/** `text` with the query of every URL in it blanked: that of a SAS is a credential. */
export function redactUrls(text: string): string {
  return text.replace(/(https?:\/\/[^\s?"')]*)\?[^\s"')]*/g, `$1?${REDACTED}`);
}

function chainText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${chainText(error.cause)}`;
}
