import { equal } from "node:assert/strict";
import { IssuerError } from "../identity/issuer_error.ts";
import { libraryFailure, sayingOfIssuer } from "./issuer_answer.ts";

Deno.test("sayingOfIssuer finds the words of each kind of issuer", () => {
  const bodies: [body: unknown, said: string][] = [
    [{ error: "invalid_grant", error_description: "Bad\nstack" }, "400 invalid_grant: Bad"],
    [{ error: "invalid_target" }, "400 invalid_target"],
    [{ error: { code: 400, status: "DENIED", message: "Not you." } }, "400 DENIED: Not you."],
    [{ error: { message: "Not you." } }, "400: Not you."],
    ["<html>", "400"],
    [null, "400"],
  ];
  for (const [body, said] of bodies) {
    equal(sayingOfIssuer(400, body), `the issuer answered ${said}`);
  }
});

Deno.test("libraryFailure keeps status and words, and nothing of the request", () => {
  const request = { headers: { authorization: "hunter2" }, data: "assertion=hunter3" };
  const answer = { status: 503, data: { error: "unavailable" }, config: request };
  const answered = Object.assign(new Error("hunter4"), { config: request, response: answer });
  const failure = libraryFailure(answered);
  equal(failure.message, "the issuer answered 503 unavailable");
  equal(failure.status, 503);
  equal(/hunter/.test(Deno.inspect(failure, { depth: 20 })), false);
});

Deno.test("libraryFailure names the reason why there was no answer", () => {
  const reason = Object.assign(new Error("request to http://a/?token=x failed"), {
    code: "ECONNREFUSED",
    config: { data: "hunter2" },
  });
  const failure = libraryFailure(reason);
  equal(failure.message, "ECONNREFUSED: request to http://a/?*** failed");
  equal(failure.status, null);
  equal(/hunter/.test(Deno.inspect(failure, { depth: 20 })), false);
  const own = new IssuerError("as it is", 400);
  equal(libraryFailure(own), own);
  equal(libraryFailure("odd").message, "the library failed");
});
