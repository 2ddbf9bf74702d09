/**
 * Tokens for the key of a service account: an assertion that we sign, exchanged at the place that
 * the key names. The library of Google asks the public service whatever the key says, so it is of
 * no use where that is another one: https://google.aip.dev/auth/4112
 */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { Buffer } from "node:buffer";
import { IssuerError } from "../identity/issuer_error.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import type { ServiceAccountKey } from "./key_file.ts";
import { grantedToken } from "./oauth_token.ts";
import type { Clock } from "../../platform/clock.ts";

/** Longest life of an assertion that is accepted. */
const LIFETIME_SECONDS = 3_600;
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Exchanges an assertion signed with `key` for a token good for `scope`. */
export async function serviceAccountToken(
  key: ServiceAccountKey,
  scope: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const proof = assertion(key, scope, Math.floor(clock.wallMs() / 1000));
  return await grantedToken(key.tokenUri, { grant_type: GRANT, assertion: proof }, clock, signal);
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
