import { equal, match } from "node:assert/strict";
import { isBusy, IssuerError, issuerFault } from "./issuer_error.ts";
import { StoreFault } from "../store_fault.ts";

function fault(error: unknown, obtainedBefore = false) {
  return issuerFault(error, { what: "access token", hint: "Check it", obtainedBefore });
}

Deno.test("an issuer that nobody reached, or that is busy, is an outage", () => {
  const unreached = [
    new Error("endpoints_resolution_error: See https://aka.ms/msal.js.errors"),
    new Error("ManagedIdentityCredential: Message: network_error: See https://aka.ms"),
    new Error("Cannot ask", {
      cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
    }),
    Object.assign(new Error("too slow"), { name: "TimeoutError" }),
    ...[429, 500, 502, 503].map((status) => new IssuerError("Busy", status)),
  ];
  for (const error of unreached) equal(fault(error).code, "unavailable", error.message);
});

Deno.test("an outage of an issuer is no reason to check a credential", () => {
  const hint = "Check the network to issuer.example";
  const silent = new StoreFault("unavailable", "no answer from issuer.example", hint);
  equal(fault(new IssuerError("no answer", null, { cause: silent })).hint, hint);
  match(fault(new IssuerError("the issuer answered 503", 503)).hint ?? "", /asked again/);
  equal(fault(new IssuerError("invalid_client", 401)).hint, "Check it");
  // Of the machine that has none, nobody knows more.
  equal(fault(new IssuerError("TimeoutError: no metadata server", null)).hint, "Check it");
});

Deno.test("what an issuer refuses is denied, also when it gave one out before", () => {
  for (const status of [400, 401, 403, 404]) {
    equal(fault(new IssuerError("invalid_client", status)).code, "denied");
    equal(fault(new IssuerError("invalid_client", status), true).code, "denied");
  }
});

Deno.test("a failure that says nothing is a mistake, unless it worked before", () => {
  equal(fault(new Error("Could not load credentials")).code, "denied");
  equal(fault(new Error("Could not load credentials"), true).code, "unavailable");
});

Deno.test("an answer that was no refusal, but made no sense, says nothing", () => {
  for (const status of [200, 302]) {
    equal(fault(new IssuerError("unexpected token <", status), true).code, "unavailable");
    equal(fault(new IssuerError("no such file", status)).code, "denied");
  }
});

Deno.test("a fault says what the issuer said, on one line", () => {
  const { message, hint } = fault(new IssuerError("AADSTS7000222: expired\r\nTrace ID: 1", 401));
  match(message, /^no access token \(AADSTS7000222: expired\)$/);
  equal(hint, "Check it");
});

Deno.test("an issuer is asked again for 429, 500 and 503 only", () => {
  for (const status of [429, 500, 503]) equal(isBusy(new IssuerError("Busy", status)), true);
  for (const status of [400, 401, 502, 504]) equal(isBusy(new IssuerError("No", status)), false);
  equal(isBusy(new Error("Busy", { cause: new IssuerError("Busy", 503) })), true);
  equal(isBusy(new Error("503")), false);
});
