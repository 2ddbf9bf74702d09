import { deepEqual, equal, match, throws } from "node:assert/strict";
import { z } from "zod";
import type { Endpoint } from "../../ctl/api.ts";
import { refused, type Route, route } from "./route.ts";
import { Router } from "./router.ts";

function routeOf(method: Endpoint["method"], path: Endpoint["path"]): Route {
  return route(
    { method, path, request: z.unknown(), answer: z.unknown(), form: "single" },
    { sockets: "both", bodyBytesMax: 0 },
    () => Promise.resolve(refused("internal", path)),
  );
}

const ROUTER = new Router([
  routeOf("GET", "/v1/status"),
  routeOf("POST", "/v1/plans"),
  routeOf("GET", "/v1/plans"),
  routeOf("GET", "/v1/warm/:id"),
  routeOf("DELETE", "/v1/warm/:id"),
  routeOf("GET", "/v1/warm/all"),
]);

function found(method: string, path: string) {
  const result = ROUTER.find(method, path);
  return result.kind === "found"
    ? [result.route.endpoint.method, result.route.endpoint.path, result.segments]
    : result.error.code;
}

Deno.test("Router finds a call by method and path", () => {
  deepEqual(found("GET", "/v1/status"), ["GET", "/v1/status", {}]);
  deepEqual(found("POST", "/v1/plans"), ["POST", "/v1/plans", {}]);
});

Deno.test("Router takes variables out of the path, decoded", () => {
  deepEqual(found("DELETE", "/v1/warm/a%2Fb"), ["DELETE", "/v1/warm/:id", { id: "a/b" }]);
  equal(found("GET", "/v1/warm/%ff"), "not_found");
  equal(found("GET", "/v1/warm/"), "not_found");
});

Deno.test("Router prefers a path without variables", () => {
  deepEqual(found("GET", "/v1/warm/all"), ["GET", "/v1/warm/all", {}]);
});

Deno.test("Router says which methods a path has", () => {
  const result = ROUTER.find("PUT", "/v1/plans");
  equal(result.kind, "refused");
  if (result.kind === "refused") match(result.error.message, /wanted POST, GET$/);
});

Deno.test("Router says which version is spoken and which was asked for", () => {
  const result = ROUTER.find("GET", "/v2/status");
  equal(result.kind, "refused");
  if (result.kind !== "refused") return;
  equal(result.error.code, "unsupported_version");
  match(result.error.message, /asks for version 2 of the API, this mount speaks 1/);
});

Deno.test("Router knows no paths without a version", () => {
  equal(found("GET", "/status"), "not_found");
  equal(found("GET", "/"), "not_found");
  equal(found("GET", "/v1"), "not_found");
});

Deno.test("Router refuses two routes for one call", () => {
  throws(() => new Router([routeOf("GET", "/v1/a"), routeOf("GET", "/v1/a")]));
});

Deno.test("A route tells everything that is wrong with a request", async () => {
  const endpoint = {
    method: "POST",
    path: "/v1/things",
    request: z.strictObject({ count: z.number(), name: z.string() }),
    answer: z.object({ total: z.number() }),
    form: "single",
  } satisfies Endpoint;
  const things = route(
    endpoint,
    { sockets: "both", bodyBytesMax: 1 },
    ({ count }) => Promise.resolve({ kind: "answered", body: { total: count } }),
  );
  const caller = { uid: 1, gid: 1, groups: [], pid: 1, socket: "user" } as const;
  const signal = new AbortController().signal;
  const good = await things.run({ count: 2, name: "a" }, caller, signal);
  deepEqual(good, { kind: "answered", body: { total: 2 } });
  const bad = await things.run({ count: "2", nmae: "a" }, caller, signal);
  equal(bad.kind, "refused");
  if (bad.kind !== "refused") return;
  equal(bad.error.code, "bad_request");
  match(bad.error.message, /^Call "POST \/v1\/things": count: .*; name: .*nmae/);
});
