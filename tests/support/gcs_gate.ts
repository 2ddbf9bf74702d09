/**
 * Stands before fake-gcs-server and does what that does not: lets nobody in without a token that is
 * valid, honours the conditions of reads, and counts prefixes towards the pages of a listing.
 */
import { z } from "zod";
import type { TokenBook } from "./token_book.ts";

/** A request that came, and whether it was let in. */
export interface GateRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly state: "valid" | "expired" | "unknown" | "anonymous";
}

const ITEM = z.looseObject({ name: z.string(), generation: z.string() });
const LISTING = z.object({
  items: z.array(ITEM).prefault([]),
  prefixes: z.array(z.string()).prefault([]),
  nextPageToken: z.string().optional(),
});

/** One on a loopback port of its own. */
export class GcsGate implements AsyncDisposable {
  readonly seen: GateRequest[] = [];
  /** Requests that no identity may make. */
  forbids: (request: GateRequest) => boolean = () => false;
  /** Whether `generation` of a read means something to it; else only the condition does. */
  knowsGenerations = true;
  /** The project that has to pay for each request; null: nobody has to. */
  paying: string | null = null;
  /** What the metadata of objects say instead, by the path they are asked at. */
  readonly instead = new Map<string, Readonly<Record<string, string | undefined>>>();
  readonly #upstream: string;
  readonly #tokens: TokenBook;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(upstream: string, tokens: TokenBook) {
    this.#upstream = upstream;
    this.#tokens = tokens;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  /** Starts one before `upstream` that lets in who has one of `tokens`. */
  static start(upstream: string, tokens: TokenBook): GcsGate {
    return new GcsGate(upstream, tokens);
  }

  /** As `endpoint` of a backend takes it. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Lets everybody with a token do everything again, and forgets what it saw. */
  reset(): void {
    this.forbids = () => false;
    this.knowsGenerations = true;
    this.paying = null;
    this.instead.clear();
    this.seen.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname: path, searchParams: query } = new URL(request.url);
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    const state = token === undefined ? "anonymous" : this.#tokens.stateOf(token);
    const seen: GateRequest = { method: request.method, path, query, state };
    this.seen.push(seen);
    if (state === "anonymous") {
      return refuse(401, "required", "Anonymous caller does not have access to the bucket.");
    }
    if (state !== "valid") return refuse(401, "authError", "Invalid Credentials");
    if (this.forbids(seen)) {
      return refuse(403, "forbidden", "The caller does not have access to it. (test)");
    }
    if (this.paying !== null && query.get("userProject") !== this.paying) {
      const message = "Bucket is a requester pays bucket but no user project provided.";
      return refuse(400, "required", message);
    }
    if (request.method === "GET" && path.endsWith("/o") && query.has("delimiter")) {
      return await this.#list(path, query);
    }
    const unmet = await this.#unmet(seen);
    return unmet ?? await this.#pass(request, path, query);
  }

  /** The refusal of a read whose condition does not hold; null when it does. */
  async #unmet({ method, path, query }: GateRequest): Promise<Response | null> {
    const wanted = query.get("ifGenerationMatch");
    if (method !== "GET" || wanted === null) return null;
    // It is a condition on the generation that is asked for, where one is.
    if (this.knowsGenerations && query.has("generation")) return null;
    const answer = await fetch(this.#upstream + path);
    const item = ITEM.safeParse(await answer.json());
    if (!item.success || item.data.generation === wanted) return null;
    return refuse(412, "conditionNotMet", "At least one of the pre-conditions did not hold.");
  }

  async #pass(request: Request, path: string, query: URLSearchParams): Promise<Response> {
    const asked = new URLSearchParams(query);
    if (!this.knowsGenerations) asked.delete("generation");
    const headers = new Headers(request.headers);
    headers.delete("host");
    const { method, body } = request;
    const answer = await fetch(`${this.#upstream}${path}?${asked}`, {
      method,
      headers,
      // Whole: the server wants to know lengths.
      body: body === null ? null : await request.bytes(),
      redirect: "manual",
    });
    const instead = query.has("alt") || method !== "GET" ? undefined : this.instead.get(path);
    if (instead !== undefined) return Response.json({ ...await answer.json(), ...instead });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }

  /** A page of a listing in order, each prefix as one of its names. */
  async #list(path: string, query: URLSearchParams): Promise<Response> {
    const names = new Map<string, z.infer<typeof ITEM> | null>();
    let token: string | undefined;
    do {
      const asked = new URLSearchParams(query);
      asked.set("maxResults", "1000");
      asked.delete("pageToken");
      if (token !== undefined) asked.set("pageToken", token);
      const answer = await fetch(`${this.#upstream}${path}?${asked}`);
      if (!answer.ok) return answer;
      const listing = LISTING.parse(await answer.json());
      for (const prefix of listing.prefixes) names.set(prefix, null);
      for (const item of listing.items) names.set(item.name, item);
      token = listing.nextPageToken || undefined;
    } while (token !== undefined);
    const after = query.get("pageToken");
    const left = [...names].sort(([a], [b]) => a < b ? -1 : 1)
      .filter(([name]) => after === null || name > decodeURIComponent(after));
    const page = left.slice(0, Number(query.get("maxResults")));
    const last = page.at(-1)?.[0] ?? "";
    return Response.json({
      kind: "storage#objects",
      items: page.flatMap(([, item]) => item ?? []),
      prefixes: page.flatMap(([name, item]) => item === null ? [name] : []),
      ...(page.length < left.length ? { nextPageToken: encodeURIComponent(last) } : {}),
    });
  }
}

function refuse(status: number, reason: string, message: string): Response {
  const errors = [{ domain: "global", reason, message }];
  return Response.json({ error: { code: status, message, errors } }, { status });
}
