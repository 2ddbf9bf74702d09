/**
 * What an application signs with its certificate to show Entra who it is. The library of Entra can
 * do so, too, but not in Deno, which finds no key in a text that holds a certificate as well.
 *
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, randomUUID, X509Certificate } from "node:crypto";
import { IssuerError } from "./issuer_error.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;
const PRIVATE_KEY =
  /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----[\s\S]+?-----END ([A-Z]+ )*PRIVATE KEY-----/;
/** How long an assertion is good: it is used at once. */
const LIFETIME_SECONDS = 600;

/** An application with its certificate. */
export interface CertifiedApplication {
  readonly clientId: string;
  /** Where the assertion is shown, a URL. */
  readonly tokenEndpoint: string;
  /** Certificate and private key, in PEM. */
  readonly pem: string;
  /** Of the key; null: it has none. */
  readonly password: string | null;
}

/**
 * A signed assertion, good from `nowMs` on, in milliseconds since the epoch.
 *
 * @throws {IssuerError} when certificate or key are unusable, or the password is wrong.
 */
export async function clientAssertion(
  application: CertifiedApplication,
  nowMs: number,
): Promise<string> {
  const { clientId, tokenEndpoint, pem, password } = application;
  const [certificate] = CERTIFICATE.exec(pem) ?? [];
  const [key] = PRIVATE_KEY.exec(pem) ?? [];
  if (certificate === undefined || key === undefined) {
    throw new IssuerError("the file holds no certificate with its private key", null);
  }
  try {
    const thumbprint = new X509Certificate(certificate).fingerprint256.replaceAll(":", "");
    const seconds = Math.floor(nowMs / 1000);
    const unsigned = `${
      encoded({ alg: "PS256", typ: "JWT", "x5t#S256": base64Url(Buffer.from(thumbprint, "hex")) })
    }.${
      encoded({
        ...{ aud: tokenEndpoint, iss: clientId, sub: clientId, jti: randomUUID() },
        ...{ nbf: seconds, iat: seconds, exp: seconds + LIFETIME_SECONDS },
      })
    }`;
    const opened = createPrivateKey(password === null ? key : { key, passphrase: password });
    return `${unsigned}.${base64Url(await signed(opened, unsigned))}`;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new IssuerError(`certificate or key cannot be used: ${reason}`, null, { cause });
  }
}

/** Not by node:crypto, which signs in another way than it is told to in Deno before 2.9. */
async function signed(key: KeyObject, text: string): Promise<Buffer> {
  const der = Uint8Array.from(key.export({ type: "pkcs8", format: "der" }));
  const algorithm = { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 };
  const imported = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  const bytes = new TextEncoder().encode(text);
  return Buffer.from(await crypto.subtle.sign(algorithm, imported, bytes));
}

function encoded(part: unknown): string {
  return base64Url(Buffer.from(JSON.stringify(part)));
}

function base64Url(bytes: Buffer): string {
  return bytes.toString("base64url");
}
