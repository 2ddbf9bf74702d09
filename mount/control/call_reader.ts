/** From the bytes of a client to the call it asks for, within its rights and bounds. */
import type { Clock } from "../../cache/platform/clock.ts";
import type { BodyBudget } from "./body_budget.ts";
import type { Connection } from "./connection.ts";
import { GO_ON } from "./http_answer.ts";
import type { RequestHead } from "./http_head.ts";
import { HttpReader } from "./http_reader.ts";
import { inTime } from "./in_time.ts";
import type { RateVerdict } from "./rate_limit.ts";
import { type Caller, type Refused, refused, type Route } from "./route.ts";
import type { Found, Router } from "./router.ts";

/** Longest time from connecting to the last byte of the request. */
export const REQUEST_MS_MAX = 10_000;

/** What is known of a client before it says anything. */
export interface Client {
  readonly connection: Connection;
  readonly caller: Caller;
  /** Why nothing it asks is done; null when it may ask. */
  readonly refusal: Refused | null;
  readonly rate: Exclude<RateVerdict, { readonly kind: "dropped" }>;
}

/** What reading a call needs. */
export interface CallDeps {
  readonly router: Router;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
}

/** What is to be done. */
export interface Call {
  readonly kind: "call";
  readonly route: Route;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Reads what the client asks for; null when it asks for nothing. */
export async function readCall(
  client: Client,
  deps: CallDeps,
  signal: AbortSignal,
): Promise<Call | Refused | null> {
  const late = new Error("The request did not arrive in time");
  const read = (limited: AbortSignal) => readRequest(client, deps, limited);
  try {
    return await inTime(REQUEST_MS_MAX, deps.clock, signal, late, read);
  } catch (error) {
    if (error !== late) throw error;
    const seconds = REQUEST_MS_MAX / 1_000;
    return refused("timeout", `Read an HTTP request: it did not arrive within ${seconds}s`);
  }
}

async function readRequest(
  client: Client,
  { router, bodies }: CallDeps,
  signal: AbortSignal,
): Promise<Call | Refused | null> {
  const reader = new HttpReader(client.connection);
  const head = await reader.head(signal);
  if (head === null || head.kind === "refused") return head;
  const found = findRoute(client, head, router);
  if (found.kind === "refused") return found;
  return await readInput(client.connection, reader, head, found, bodies, signal);
}

/** The route asked for, if this client may have it. */
function findRoute(client: Client, head: RequestHead, router: Router): Found | Refused {
  const { caller, refusal, rate } = client;
  if (refusal !== null) return refusal;
  if (rate.kind === "refused") {
    return refused(
      "rate_limited",
      `Call "${head.path}": user ${caller.uid} asks too often`,
      "Ask again after the seconds that Retry-After says, and less often",
    );
  }
  const found = router.find(head.method, head.path);
  if (found.kind === "refused") return found;
  if (caller.socket === "user" && found.route.access.sockets === "admin") {
    return refused(
      "forbidden",
      `Call "${head.path}": user.sock does not offer it, wanted admin.sock`,
      "Ask as the user who mounted, as root, or as a member of control.group",
    );
  }
  return found;
}

async function readInput(
  connection: Connection,
  reader: HttpReader,
  head: RequestHead,
  { route, segments }: {
    readonly route: Route;
    readonly segments: Readonly<Record<string, string>>;
  },
  bodies: BodyBudget,
  signal: AbortSignal,
): Promise<Call | Refused> {
  const { bodyBytesMax } = route.access;
  using room = bodies.take(head.body.kind === "none" ? 0 : bodyBytesMax);
  if (room === null) {
    return refused(
      "unavailable",
      `Call "${head.path}": other requests take all memory there is for them`,
      "Ask again in a moment",
    );
  }
  const fits = head.body.kind !== "sized" || head.body.bytes <= bodyBytesMax;
  if (head.expectsContinue && fits) await connection.write(GO_ON, signal);
  const body = await reader.body(head.body, bodyBytesMax, signal);
  if (body.kind === "refused") return body;
  if (head.method !== "POST") {
    return { kind: "call", route, input: { ...queryOf(head.query), ...segments } };
  }
  const parsed = parseObject(body.bytes);
  if (parsed === null) {
    return refused("bad_request", `Call "${head.path}": its body is no JSON object`);
  }
  return { kind: "call", route, input: { ...parsed, ...segments } };
}

/** Keys that are given several times are lists. */
function queryOf(query: URLSearchParams): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...new Set(query.keys())].map((key) => {
    const values = query.getAll(key);
    return [key, values.length === 1 ? values[0] : values];
  }));
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return Object.fromEntries(Object.entries(value));
  } catch {
    // Neither UTF-8 nor JSON: the caller says so.
    return null;
  }
}
