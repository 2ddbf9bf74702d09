/**
 * Tokens for the key of a service account: an assertion that we sign, exchanged at the place that
 * the key names. The library of Google asks the public service whatever the key says, so it is of
 * no use where that is another one: https://google.aip.dev/auth/4112
 */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { Buffer } from "node:buffer";
import { z } from "zod";
import { jsonOrNull } from "../answer_text.ts";
import { brokenConnection } from "../broken_connection.ts";
import { IssuerError } from "../identity/issuer_error.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { StoreFault } from "../store_fault.ts";
import type { ServiceAccountKey } from "./key_file.ts";
import { sayingOfIssuer } from "./issuer_answer.ts";
import type { Clock } from "../../platform/clock.ts";

/** Longest life of an assertion that is accepted. */
const LIFETIME_SECONDS = 3_600;
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const TOKEN = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** Exchanges an assertion signed with `key` for a token good for `scope`. */
export async function serviceAccountToken(
  key: ServiceAccountKey,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const begunMs = clock.wallMs();
  const body = new URLSearchParams({
    grant_type: GRANT,
    assertion: assertion(key, scope, Math.floor(begunMs / 1000)),
  });
  const { status, text } = await post(key.tokenUri, body, signal);
  const json = jsonOrNull(text);
  const answer = TOKEN.safeParse(json);
  if (status === 200 && answer.success) {
    const { access_token: value, expires_in: seconds } = answer.data;
    return { value, expiresMs: begunMs + seconds * 1000 };
  }
  // An answer that makes no sense is no refusal.
  throw new IssuerError(sayingOfIssuer(status, json), status === 200 ? 502 : status);
}

/** A JWT by which the account asks for a token of its own. */
function assertion(key: ServiceAccountKey, scope: string, nowSeconds: number): string {
  const header = { alg: "RS256", typ: "JWT", ...(key.keyId === null ? {} : { kid: key.keyId }) };
  const claims = {
    iss: key.email,
    scope,
    aud: key.tokenUri,
    iat: nowSeconds,
    exp: nowSeconds + LIFETIME_SECONDS,
  };
  const text = [header, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  return `${text}.${sign("sha256", Buffer.from(text), privateKey(key)).toString("base64url")}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function privateKey({ email, privateKey: secret }: ServiceAccountKey): KeyObject {
  try {
    return createPrivateKey(secret.reveal());
  } catch {
    // What the parser says of it may quote it.
    throw new IssuerError(`the private_key of "${email}" is no key in PEM`, null);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function post(url: string, body: URLSearchParams, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, { method: "POST", body, redirect: "manual", signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    const { message } = brokenConnection(error, url);
    throw new StoreFault(
      "unavailable",
      `no Google access token (${message})`,
      "Check token_uri in the key file, and the network to it",
    );
  }
}
