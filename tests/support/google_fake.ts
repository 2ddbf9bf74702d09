/**
 * The issuers of Google's tokens on loopback: the token endpoint of keys and users, the metadata
 * server, the security token service and the one for service accounts; beside them the metadata
 * service of Entra, whose tokens a pool may trust. Each checks what it is sent.
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import type { TokenBook } from "./token_book.ts";

/** The account that the issuers know, and what else they ask for. */
export const ACCOUNT = "reader@project.iam.gserviceaccount.com";
export const POOL =
  "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/entra";
export const USER = {
  client_id: "user",
  client_secret: "user-secret",
  refresh_token: "user-proof",
};
/** The token of another issuer that the pool trusts. */
export const SUBJECT_TOKEN = "header.claims-of-entra.signature";
export const ENTRA_RESOURCE = "api://warpdrive";

const JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token";
const STORAGE_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
/** How wrong a clock may be. */
const SKEW_SECONDS = 300;

const HEADER = z.object({
  alg: z.literal("RS256"),
  typ: z.literal("JWT"),
  kid: z.literal("key-1"),
});
const CLAIMS = z.object({
  iss: z.literal(ACCOUNT),
  scope: z.literal(STORAGE_SCOPE),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
});

/** A refusal, in the words of OAuth. */
class Refused extends Error {
  constructor(readonly code: string, message: string, readonly status = 400) {
    super(message);
  }
}

/** All of them in one server; disposing ends it. */
export class GoogleFake implements AsyncDisposable {
  /** Who gave out a token, one word for each. */
  readonly seen: string[] = [];
  /** How long tokens last that are given out from now on. */
  lifetimeMs = 3_600_000;
  /** Statuses to answer the next requests with, in place of tokens. */
  readonly busy: number[] = [];
  /** Whether the pool trusts a token of another issuer. */
  trusts: (token: string) => boolean = (token) => token === SUBJECT_TOKEN;
  /** What accounts signed with their keys to be given tokens. */
  readonly assertions: string[] = [];
  /** Why nobody is given a token; null: they are. */
  refusal: string | null = null;
  readonly #tokens: TokenBook;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  /** Tokens of the pool itself, which may act as the account. */
  readonly #federated = new Set<string>();

  private constructor(tokens: TokenBook) {
    this.#tokens = tokens;
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** Starts them on a free port; they write what they give out into `tokens`. */
  static start(tokens: TokenBook): GoogleFake {
    return new GoogleFake(tokens);
  }

  /** `127.0.0.1:PORT` of all of them. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  /** The key of the account as a file holds it; `tokenUri` is where it is good for. */
  key(tokenUri = `${this.origin}/token`): Readonly<Record<string, string>> {
    return {
      type: "service_account",
      client_email: ACCOUNT,
      private_key_id: "key-1",
      private_key: this.#privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      token_uri: tokenUri,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const status = this.busy.shift();
    if (status !== undefined) return new Response("Busy", { status });
    try {
      if (this.refusal !== null) throw new Refused("invalid_grant", this.refusal);
      return await this.#give(request, new URL(request.url));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, message, status } = error;
      return Response.json({ error: code, error_description: message }, { status });
    }
  }

  async #give(request: Request, { pathname, searchParams }: URL): Promise<Response> {
    const seconds = this.lifetimeMs / 1000;
    switch (`${request.method} ${pathname}`) {
      case "POST /token": {
        this.seen.push(this.#checkGrant(new URLSearchParams(await request.text())));
        return Response.json({ access_token: this.#issue(), expires_in: seconds });
      }
      case "GET /computeMetadata/v1/instance/service-accounts/default/token": {
        const headers = { "metadata-flavor": "Google" };
        if (request.headers.get("metadata-flavor") !== "Google") {
          return new Response("Missing Metadata-Flavor", { status: 403, headers });
        }
        this.seen.push("metadata");
        return Response.json({ access_token: this.#issue(), expires_in: seconds }, { headers });
      }
      case "POST /v1/token":
        return this.#exchange(new URLSearchParams(await request.text()));
      case `POST /v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`:
      case `POST /v1/projects/-/serviceAccounts/${encodeURIComponent(ACCOUNT)}:generateAccessToken`:
        return await this.#impersonate(request);
      case "GET /metadata/identity/oauth2/token/":
      case "GET /metadata/identity/oauth2/token": {
        if (request.headers.get("metadata") !== "true") throw new Refused("invalid", "No header");
        if (searchParams.get("resource") !== ENTRA_RESOURCE) {
          throw new Refused("invalid", "Resource");
        }
        this.seen.push(`entra ${searchParams.get("client_id") ?? "system"}`);
        const expires_on = String(Math.floor(Date.now() / 1000) + 3_600);
        const rest = { expires_in: "3600", token_type: "Bearer", resource: ENTRA_RESOURCE };
        return Response.json({ access_token: SUBJECT_TOKEN, expires_on, ...rest });
      }
      default:
        return new Response("No such issuer", { status: 404 });
    }
  }

  #issue(): string {
    return this.#tokens.issue(this.lifetimeMs);
  }

  /** Who is behind `form`. */
  #checkGrant(form: URLSearchParams): string {
    switch (form.get("grant_type")) {
      case JWT_GRANT:
        this.#checkAssertion(form.get("assertion") ?? "");
        return "key";
      case "refresh_token":
        for (const [name, value] of Object.entries(USER)) {
          if (form.get(name) !== value) throw new Refused("invalid_grant", "Bad Request");
        }
        return "user";
      default:
        throw new Refused("unsupported_grant_type", "Invalid grant_type");
    }
  }

  #checkAssertion(assertion: string): void {
    this.assertions.push(assertion);
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    const signed = Buffer.from(`${header}.${claims}`);
    if (!verify("sha256", signed, this.#publicKey, Buffer.from(signature, "base64url"))) {
      throw new Refused("invalid_grant", "Invalid JWT Signature.");
    }
    const decoded = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    HEADER.parse(decoded(header));
    const { aud, iat, exp } = CLAIMS.parse(decoded(claims));
    if (aud !== `${this.origin}/token`) throw new Refused("invalid_grant", "Invalid audience");
    const nowSeconds = Date.now() / 1000;
    if (Math.abs(nowSeconds - iat) > SKEW_SECONDS || exp - iat > 3_600 || exp < nowSeconds) {
      throw new Refused(
        "invalid_grant",
        "Invalid JWT: Token must be short-lived (60 minutes) and in a reasonable timeframe.",
      );
    }
  }

  #exchange(form: URLSearchParams): Response {
    const wanted = {
      grant_type: EXCHANGE_GRANT,
      audience: POOL,
      requested_token_type: ACCESS_TYPE,
      subject_token_type: JWT_TYPE,
    };
    for (const [name, value] of Object.entries(wanted)) {
      if (form.get(name) !== value) throw new Refused("invalid_grant", `Wrong ${name}`);
    }
    if (!this.trusts(form.get("subject_token") ?? "")) {
      throw new Refused("invalid_grant", "Wrong subject_token");
    }
    this.seen.push(`sts ${form.get("scope")?.split("/").at(-1)}`);
    const token = this.#issue();
    this.#federated.add(token);
    return Response.json({
      access_token: token,
      issued_token_type: ACCESS_TYPE,
      token_type: "Bearer",
      expires_in: this.lifetimeMs / 1000,
    });
  }

  async #impersonate(request: Request): Promise<Response> {
    const body = z.object({ scope: z.tuple([z.literal(STORAGE_SCOPE)]) })
      .safeParse(await request.json());
    const { headers } = request;
    const token = headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    if (!this.#federated.has(token) || !body.success) {
      const error = { code: 403, status: "PERMISSION_DENIED", message: "No getAccessToken on it." };
      return Response.json({ error }, { status: 403 });
    }
    this.seen.push("iamcredentials");
    const expireTime = new Date(Date.now() + this.lifetimeMs).toISOString();
    return Response.json({ accessToken: this.#issue(), expireTime });
  }
}
