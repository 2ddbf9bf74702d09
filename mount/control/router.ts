/** From a method and a path to the route that answers. Pure. */
import { API_VERSION } from "../../ctl/api.ts";
import { assert } from "../../cache/platform/assert.ts";
import { type Refused, refused, type Route } from "./route.ts";

/** A route with the texts that stand for its `:name` segments. */
export interface Found {
  readonly kind: "found";
  readonly route: Route;
  readonly segments: Readonly<Record<string, string>>;
}

interface Row {
  readonly route: Route;
  readonly pattern: readonly string[];
}

/** The calls of a mount. */
export class Router {
  readonly #rows: readonly Row[];

  /** `routes` differ in method or path. */
  constructor(routes: readonly Route[]) {
    this.#rows = routes.map((route) => ({ route, pattern: route.endpoint.path.split("/") }));
    const names = new Set(routes.map(({ endpoint }) => `${endpoint.method} ${endpoint.path}`));
    assert(names.size === routes.length, "Each call has one route");
  }

  /** The route for `method` and `path`, which is without a query. */
  find(method: string, path: string): Found | Refused {
    const wrong = versionProblem(path);
    if (wrong !== null) return wrong;
    const parts = path.split("/");
    const rows = this.#rows.flatMap(({ route, pattern }) => {
      const segments = match(pattern, parts);
      return segments === null ? [] : [{ route, segments }];
    });
    // A path without variables wins over one with them: /v1/warm/stats over /v1/warm/:id.
    const [row] = rows
      .filter(({ route }) => route.endpoint.method === method)
      .sort((a, b) => Object.keys(a.segments).length - Object.keys(b.segments).length);
    if (row !== undefined) return { kind: "found", ...row };
    if (rows.length === 0) {
      return refused(
        "not_found",
        `Call "${path}": this mount has no such call`,
        "A newer release may have it; docs/control-api.md lists the calls of this one",
      );
    }
    const methods = [...new Set(rows.map(({ route }) => route.endpoint.method))].join(", ");
    return refused("method_not_allowed", `Call "${path}" with ${method}: wanted ${methods}`);
  }
}

function versionProblem(path: string): Refused | null {
  const asked = /^\/v(\d{1,9})(?:\/|$)/.exec(path)?.[1];
  if (asked === String(API_VERSION)) return null;
  if (asked === undefined) {
    return refused(
      "not_found",
      `Call "${path}": it names no version of the API, wanted /v${API_VERSION}/…`,
      `Ask for /v${API_VERSION}/status to see what answers`,
    );
  }
  return refused(
    "unsupported_version",
    `Call "${path}": it asks for version ${asked} of the API, this mount speaks ${API_VERSION}`,
    'Use the "warpdrive" that this mount was started with, or mount again with this one',
  );
}

/** What stands for the variables of `pattern` in `parts`, or null when they differ. */
function match(
  pattern: readonly string[],
  parts: readonly string[],
): Readonly<Record<string, string>> | null {
  if (pattern.length !== parts.length) return null;
  const segments: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] ?? "";
    if (!wanted.startsWith(":")) {
      if (wanted !== part) return null;
      continue;
    }
    const text = decodeSegment(part);
    if (text === null || text === "") return null;
    segments[wanted.slice(1)] = text;
  }
  return segments;
}

function decodeSegment(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    // A % that begins no UTF-8 character names nothing.
    return null;
  }
}
