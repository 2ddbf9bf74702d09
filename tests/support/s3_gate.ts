/**
 * Stands before an S3 server that knows no sessions and lets in who has one: checks key, token,
 * end and signature as AWS does, and passes requests on in the name of the server's own key.
 */
import type { AwsSessions } from "./aws_sessions.ts";
import { parseAuthorization, signatureOf, type SignedRequest } from "./aws_signature.ts";
import { LEEWAY_MS } from "./token_book.ts";
import type { Versitygw } from "./versitygw.ts";

/** A key that is let in for ever. */
export interface LastingKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A gate before one server; disposing closes it. */
export class S3Gate implements AsyncDisposable {
  /** Who is let in besides sessions; may be changed at any time. */
  readonly keys: Map<string, LastingKey>;
  /** Requests that were refused, by code. */
  readonly refused: string[] = [];
  passed = 0;
  readonly #server: Versitygw;
  readonly #sessions: AwsSessions;
  readonly #listener;

  constructor(server: Versitygw, sessions: AwsSessions, keys: readonly LastingKey[] = []) {
    this.#server = server;
    this.#sessions = sessions;
    this.keys = new Map(keys.map((key) => [key.accessKeyId, key]));
    const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#listener = Deno.serve(loopback, (request) => this.#handle(request));
  }

  /** As `endpoint` of a backend takes it. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const given = parseAuthorization(request.headers.get("authorization"));
    const code = given === null ? "AccessDenied" : this.#judge(request, given);
    if (code !== null || given === null) {
      this.refused.push(code ?? "");
      return refusal(request.method, code ?? "");
    }
    this.passed += 1;
    return await this.#pass(request, given);
  }

  #judge(
    request: Request,
    given: NonNullable<ReturnType<typeof parseAuthorization>>,
  ): string | null {
    const { accessKeyId, signature } = given;
    const session = this.#sessions.find(accessKeyId);
    const key = session ?? this.keys.get(accessKeyId) ?? null;
    if (key === null) return "InvalidAccessKeyId";
    if (session !== null) {
      if (request.headers.get("x-amz-security-token") !== session.sessionToken) {
        return "InvalidToken";
      }
      if (Date.now() >= session.expiresMs + LEEWAY_MS) return "ExpiredToken";
    }
    const right = signatureOf({ ...signedParts(request), ...given }, key.secretAccessKey);
    return signature === right ? null : "SignatureDoesNotMatch";
  }

  async #pass(
    request: Request,
    { scope, signedHeaders: names }: {
      readonly scope: string;
      readonly signedHeaders: readonly string[];
    },
  ): Promise<Response> {
    const { endpoint, accessKeyId, secretAccessKey } = this.#server;
    const url = new URL(request.url);
    const headers = new Map(request.headers);
    for (const name of ["authorization", "x-amz-security-token", "connection"]) {
      headers.delete(name);
    }
    headers.set("host", new URL(endpoint).host);
    const signedHeaders = names.filter((name) => name !== "x-amz-security-token");
    const parts = { ...signedParts(request), headers, signedHeaders, scope };
    const signature = signatureOf(parts, secretAccessKey);
    headers.delete("host");
    headers.set(
      "authorization",
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ` +
        `SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`,
    );
    return await fetch(endpoint + url.pathname + url.search, {
      method: request.method,
      headers: [...headers],
      body: request.method === "PUT" ? await request.bytes() : null,
      redirect: "manual",
    });
  }
}

function signedParts(
  request: Request,
): Pick<SignedRequest, "method" | "path" | "query" | "headers"> {
  const { pathname, search } = new URL(request.url);
  const headers = new Map(request.headers);
  return { method: request.method, path: pathname, query: search.slice(1), headers };
}

function refusal(method: string, code: string): Response {
  const status = code === "ExpiredToken" || code === "InvalidToken" ? 400 : 403;
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Refused</Message></Error>`;
  return new Response(method === "HEAD" ? null : body, { status });
}
