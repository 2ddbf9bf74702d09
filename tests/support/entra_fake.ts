/**
 * Stands in for those who give out Entra tokens: the metadata service of a machine (plain http)
 * and the authority of a tenant (https). It checks what it is sent, and knows what it gave out.
 */
import { Buffer } from "node:buffer";
import { constants, createPublicKey, verify } from "node:crypto";
import { LEEWAY_MS } from "./token_book.ts";

/** What both are started with. */
export interface EntraSettings {
  /** Of the authority, in PEM. */
  readonly certificate: string;
  readonly key: string;
  /** How long tokens live at first. */
  readonly lifetimeMs: number;
  /** The one client secret that is right. */
  readonly clientSecret: string;
  /** Public key of the one certificate that is right, in PEM; null: there is none. */
  readonly applicationKey: string | null;
}

/** An answer in place of a token. */
export interface EntraFault {
  readonly status: number;
  readonly body: unknown;
}

interface GivenToken {
  readonly identity: string;
  readonly resource: string;
  readonly expiresMs: number;
}

export const TENANT_ID = "11111111-1111-1111-1111-111111111111";

/** Running issuers; disposing ends both servers. */
export class EntraFake implements AsyncDisposable {
  /** What was asked for: `metadata IDENTITY RESOURCE` or `authority CLIENT PROOF RESOURCE`. */
  readonly seen: string[] = [];
  /** Answered in place of tokens while it is not null. */
  fault: EntraFault | null = null;
  /** How many requests the fault befalls; the next ones get tokens. */
  faultsLeft = Infinity;
  /** How long tokens live that are given out from now on. */
  lifetimeMs: number;
  readonly #settings: EntraSettings;
  readonly #given = new Map<string, GivenToken>();
  readonly #revoked = new Set<string>();
  readonly #refusedIdentities = new Set<string>();
  readonly #metadata;
  readonly #authority;

  constructor(settings: EntraSettings) {
    this.#settings = settings;
    this.lifetimeMs = settings.lifetimeMs;
    const { certificate: cert, key } = settings;
    const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#metadata = Deno.serve(loopback, (request) => this.#askMachine(request));
    this.#authority = Deno.serve(
      { ...loopback, cert, key },
      (request) => this.#askAuthority(request),
    );
  }

  /** As AZURE_POD_IDENTITY_AUTHORITY_HOST takes it. */
  get metadataHost(): string {
    return `http://127.0.0.1:${this.#metadata.addr.port}`;
  }

  /** As an authority host of credentials. */
  get authorityHost(): string {
    return `https://127.0.0.1:${this.#authority.addr.port}`;
  }

  /** Every token that was given out. */
  get tokens(): readonly string[] {
    return [...this.#given.keys()];
  }

  /** Whether `token` is one for `resource`, and good now. */
  judge(token: string, resource: string): "good" | "expired" | "unknown" {
    const given = this.#given.get(token);
    if (given === undefined || given.resource.replace(/\/$/, "") !== resource) return "unknown";
    const lives = Date.now() < given.expiresMs + LEEWAY_MS && !this.#revoked.has(token);
    return lives ? "good" : "expired";
  }

  /** No token given out so far is good any more. */
  revokeAll(): void {
    for (const token of this.#given.keys()) this.#revoked.add(token);
  }

  /** Gives `identity` of the machine no more tokens, and lets it in nowhere with those it has. */
  refuse(identity: string): void {
    this.#refusedIdentities.add(identity);
    for (const [token, given] of this.#given) {
      if (given.identity === identity) this.#revoked.add(token);
    }
  }

  /** Gives `identity` tokens again. */
  admit(identity: string): void {
    this.#refusedIdentities.delete(identity);
  }

  /** Fails the next `times` requests with `status`. */
  fail(status: number, body: unknown, times = Infinity): void {
    this.fault = { status, body };
    this.faultsLeft = times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#metadata.shutdown(), this.#authority.shutdown()]);
  }

  #askMachine(request: Request): Response {
    const query = new URL(request.url).searchParams;
    const identity = query.get("client_id") ?? query.get("msi_res_id") ??
      query.get("mi_res_id") ?? "system";
    const resource = query.get("resource") ?? "";
    this.seen.push(`metadata ${identity} ${resource}`);
    if (request.headers.get("metadata") !== "true" || query.get("api-version") !== "2018-02-01") {
      return Response.json({ error: "invalid_request" }, { status: 400 });
    }
    if (this.#refusedIdentities.has(identity)) {
      return refused("invalid_request", "Identity not found", 400);
    }
    return this.#answer(identity, resource, (token, expiresMs) => ({
      access_token: token,
      expires_on: String(expiresMs / 1000),
      resource,
      token_type: "Bearer",
    }));
  }

  async #askAuthority(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const tenant = url.pathname.split("/")[1] ?? "";
    if (url.pathname.endsWith("/.well-known/openid-configuration")) {
      const origin = `${url.origin}/${tenant}`;
      return Response.json({
        issuer: `${origin}/v2.0`,
        authorization_endpoint: `${origin}/oauth2/v2.0/authorize`,
        token_endpoint: `${origin}/oauth2/v2.0/token`,
        jwks_uri: `${origin}/discovery/v2.0/keys`,
      });
    }
    const form = new URLSearchParams(await request.text());
    const resource = (form.get("scope") ?? "").split(" ")[0]?.replace("/.default", "") ?? "";
    const proof = this.#proofOf(form);
    this.seen.push(`authority ${form.get("client_id")} ${proof} ${resource}`);
    if (tenant !== TENANT_ID) {
      return refused("invalid_request", "AADSTS90002: Tenant not found", 400);
    }
    if (form.get("grant_type") !== "client_credentials") return refused("invalid_grant", "", 400);
    if (proof === "wrong") {
      return refused("invalid_client", "AADSTS7000215: Invalid client secret provided", 401);
    }
    const identity = form.get("client_id") ?? "";
    return this.#answer(identity, resource, (token, expiresMs) => ({
      access_token: token,
      // Whole seconds: rounded down, so that nobody trusts it too long.
      expires_in: Math.floor((expiresMs - Date.now()) / 1000),
      token_type: "Bearer",
    }));
  }

  #proofOf(form: URLSearchParams): string {
    const { clientSecret, applicationKey } = this.#settings;
    const secret = form.get("client_secret");
    if (secret !== null) return secret === clientSecret ? "secret" : "wrong";
    const assertion = form.get("client_assertion") ?? "";
    // Tokens of pods are not signed here; who vouches for them is not what is tested.
    if (assertion.startsWith("an.assertion.")) return assertion;
    const [head = "", body = "", signature = ""] = assertion.split(".");
    if (applicationKey === null || signature === "") return "wrong";
    const signed = new TextEncoder().encode(`${head}.${body}`);
    // PS256, as the library signs.
    const key = {
      key: createPublicKey(applicationKey),
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    };
    return verify("sha256", signed, key, Buffer.from(signature, "base64url"))
      ? "certificate"
      : "wrong";
  }

  #answer(
    identity: string,
    resource: string,
    body: (token: string, expiresMs: number) => unknown,
  ): Response {
    if (this.fault !== null && this.faultsLeft > 0) {
      this.faultsLeft -= 1;
      return Response.json(this.fault.body, { status: this.fault.status });
    }
    const expiresMs = Math.floor((Date.now() + this.lifetimeMs) / 1000) * 1000;
    const token = unsignedToken(resource, expiresMs, this.#given.size);
    this.#given.set(token, { identity, resource, expiresMs });
    return Response.json(body(token, expiresMs));
  }
}

function refused(error: string, description: string, status: number): Response {
  return Response.json({ error, error_description: `${description}\r\nTrace ID: 1` }, { status });
}

/** Azurite reads such a token and does not ask for its signature. */
function unsignedToken(resource: string, expiresMs: number, serial: number): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  const issued = Math.floor(Date.now() / 1000) - 60;
  const payload = {
    aud: resource,
    iss: `https://sts.windows-ppe.net/${TENANT_ID}/`,
    nbf: issued,
    iat: issued,
    exp: Math.floor(expiresMs / 1000),
    jti: `token-${serial}-${crypto.randomUUID()}`,
  };
  return `${part({ alg: "none", typ: "JWT" })}.${part(payload)}.`;
}
