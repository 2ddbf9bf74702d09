/**
 * Stores of every kind that hold nothing, and show that only to who has what they ask for: enough
 * to see whether a credential is had, and sent as each store wants it.
 */
import type { IssuedKeys } from "./aws_fake.ts";
import { parseAuthorization, signatureOf } from "./aws_signature.ts";
import type { EntraFake } from "./entra_fake.ts";
import type { TokenBook } from "./token_book.ts";

/** The container or bucket with a guard, and the one that everybody may look into. */
export const GUARDED = "guarded";
export const PUBLIC = "public";
/** The account of Azure. */
export const ACCOUNT = "account";

/** Who is let in where. */
export interface Guards {
  readonly certificate: { readonly cert: string; readonly key: string };
  /** To S3. */
  readonly keys: IssuedKeys;
  /** To Cloud Storage. */
  readonly tokens: TokenBook;
  /** To Azure. */
  readonly entra: EntraFake;
  /** To Azure: a SAS is not looked into here. */
  readonly sasSignature: string;
}

/** Serves them all at one address, over https. */
export function serveGuardedStores(guards: Guards): Deno.HttpServer<Deno.NetAddr> {
  const { certificate } = guards;
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...certificate };
  return Deno.serve(options, (request) => answer(request, guards));
}

function answer(request: Request, guards: Guards): Response {
  const { pathname, searchParams } = new URL(request.url);
  const [first, second] = pathname.slice(1).split("/");
  if (first === ACCOUNT) {
    if (second !== PUBLIC && !azureLetsIn(request, searchParams, guards)) return refused();
    const headers = { "x-ms-version": "2020-02-10", "content-type": "application/xml" };
    return new Response("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>", {
      headers,
    });
  }
  if (first === "storage") {
    const token = bearer(request);
    const isPublic = pathname.split("/")[4] === PUBLIC;
    if (!isPublic && guards.tokens.stateOf(token) !== "valid") return refused();
    return Response.json({ kind: "storage#objects" });
  }
  if (first !== PUBLIC && !s3LetsIn(request, guards)) return refused();
  return new Response("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
}

function azureLetsIn(request: Request, query: URLSearchParams, guards: Guards): boolean {
  if (query.get("sig") === guards.sasSignature) return true;
  // What it signs is for a real server to judge.
  if (request.headers.get("authorization")?.startsWith(`SharedKey ${ACCOUNT}:`)) return true;
  return guards.entra.judge(bearer(request), "https://storage.azure.com") === "good";
}

function s3LetsIn(request: Request, { keys }: Guards): boolean {
  const given = parseAuthorization(request.headers.get("authorization"));
  if (given === null || given.accessKeyId !== keys.accessKeyId) return false;
  const { pathname: path, search, host } = new URL(request.url);
  // HTTP/2 has another name for it.
  const headers = new Map(request.headers).set("host", host);
  const signed = { method: request.method, path, query: search.slice(1), headers, ...given };
  return given.signature === signatureOf(signed, keys.secretAccessKey);
}

function bearer(request: Request): string {
  return request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
}

function refused(): Response {
  return new Response("Not you", { status: 401 });
}
