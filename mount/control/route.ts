/** A call of the control sockets: an endpoint of `ctl/api.ts` and the function behind it. */
import type { z } from "zod";
import type { ApiError, Endpoint, ErrorCode } from "../../ctl/api.ts";

/** Which of the two sockets a request came by. */
export type SocketName = "admin" | "user";

/** Who asks, as the kernel says (SO_PEERCRED): at the time of connect(2), and not to be forged. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  /** Its other groups (SO_PEERGROUPS). */
  readonly groups: readonly number[];
  /** 0 for a process of another pid namespace. */
  readonly pid: number;
  readonly socket: SocketName;
}

/** A call that is not done. */
export interface Refused {
  readonly kind: "refused";
  readonly error: ApiError;
}

/** One JSON object, with status 200. */
export interface Answered<Body> {
  readonly kind: "answered";
  readonly body: Body;
}

/** JSON objects, one per line, for as long as the client stays. */
export interface Streamed<Body> {
  readonly kind: "streamed";
  /**
   * Asked for the next record when the one before was taken by the client. Ends, by returning or
   * throwing, soon after the call's signal aborts: the connection is held until then.
   */
  readonly records: AsyncIterable<Body>;
}

/** How a call of endpoint `E` ends. */
export type Outcome<E extends Endpoint = Endpoint> =
  | Refused
  | (E["form"] extends "stream" ? Streamed<z.input<E["answer"]>> : Answered<z.input<E["answer"]>>);

/** Who may call a route, and with how much. */
export interface Access {
  /** `admin`: only by `admin.sock`; `both`: any user of the machine, within the rate limit. */
  readonly sockets: "admin" | "both";
  /** Longest JSON body in bytes; 0 for calls without one. */
  readonly bodyBytesMax: number;
}

/**
 * Does the call. `signal` aborts when the client is gone or the mount stops; nothing may go on
 * after it that nobody else waits for. A thrown error with a `hint` is told to the client as
 * `failed`, any other is a bug: logged, and answered with `internal`.
 */
export type Handle<Request extends z.ZodType, E extends Endpoint> = (
  request: z.output<Request>,
  caller: Caller,
  signal: AbortSignal,
) => Promise<Outcome<E>>;

/** A call as the server sees it, whatever its types. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly access: Access;
  /** Checks `input` by the endpoint's schema and does the call. */
  readonly run: (
    input: unknown,
    caller: Caller,
    signal: AbortSignal,
  ) => Promise<Refused | Answered<unknown> | Streamed<unknown>>;
}

/** The route of `endpoint`, done by `handle`. */
export function route<Request extends z.ZodType, E extends Endpoint>(
  endpoint: E & { readonly request: Request },
  access: Access,
  handle: Handle<Request, E>,
): Route {
  return {
    endpoint,
    access,
    async run(input, caller, signal) {
      const request = parseRequest(endpoint, input);
      return request.ok ? await handle(request.value, caller, signal) : request.refused;
    },
  };
}

/** A call refused for the reason `code`. */
export function refused(code: ErrorCode, message: string, hint: string | null = null): Refused {
  return { kind: "refused", error: { code, message, hint } };
}

type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refused: Refused };

/** `input` as the endpoint wants it, or all that is wrong with it. */
function parseRequest<Request extends z.ZodType>(
  endpoint: Endpoint & { readonly request: Request },
  input: unknown,
): Parsed<z.output<Request>> {
  const result = endpoint.request.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.map(({ path, message }) => {
    const place = path.map(String).join(".");
    return place === "" ? message : `${place}: ${message}`;
  });
  const call = `${endpoint.method} ${endpoint.path}`;
  return {
    ok: false,
    refused: refused("bad_request", `Call "${call}": ${problems.join("; ")}`),
  };
}
