import { equal } from "node:assert/strict";
import { entraFailure } from "./entra_failure.ts";

function code(error: Error, obtainedBefore = false): string {
  return entraFailure(error, obtainedBefore, "Check it").code;
}

Deno.test("an issuer of tokens that nobody reached is an outage, a refusal by it a mistake", () => {
  const unreached = [
    "endpoints_resolution_error: See https://aka.ms/msal.js.errors#endpoints_resolution_error",
    "ManagedIdentityCredential: Network unreachable. Message: network_error: See https://aka.ms",
  ];
  for (const message of unreached) equal(code(new Error(message)), "unavailable");
  const wrong = Object.assign(new Error("invalid_client: AADSTS7000215"), { statusCode: 401 });
  equal(code(wrong), "denied");
  equal(code(Object.assign(new Error("Busy"), { statusCode: 503 })), "unavailable");
});

Deno.test("an issuer that has given tokens before is asked again, whatever it says", () => {
  equal(code(new Error("invalid_client"), true), "unavailable");
});
