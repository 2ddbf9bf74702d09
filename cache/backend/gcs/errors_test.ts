import assert from "node:assert/strict";
import type { BackendErrorCode, BackendOperation } from "../backend.ts";
import type { Refusal } from "../refusal.ts";
import { type FailedOperation, isRefusedCredential, refusedOperation } from "./errors.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

function failed(operation: BackendOperation): FailedOperation {
  return { backend: "data", operation, path: "a/b", bucket: "shards" };
}

function refusal(
  status: number,
  reason: string,
  message = "It is so.",
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  const errors = [{ domain: "global", reason, message }];
  const body = reason === ""
    ? message
    : JSON.stringify({ error: { code: status, message, errors } });
  return { status, header: (name) => headers[name] ?? null, body };
}

const NO_BUCKET = "The specified bucket does not exist.";

Deno.test("refusedOperation tells what the answers of Cloud Storage mean", () => {
  const expected: [number, string, string, BackendOperation, BackendErrorCode][] = [
    [404, "", "No such object: shards/a/b", "read", "changed"],
    [404, "notFound", NO_BUCKET, "read", "not_found"],
    [404, "notFound", "Not Found", "copy", "not_found"],
    [404, "notFound", "Not Found", "list", "not_found"],
    [412, "conditionNotMet", "At least one condition did not hold.", "read", "changed"],
    [412, "conditionNotMet", "At least one condition did not hold.", "put", "invalid"],
    [401, "authError", "Invalid Credentials", "list", "denied"],
    [401, "required", "Anonymous caller does not have access", "read", "denied"],
    [403, "forbidden", "no storage.objects.list access", "list", "denied"],
    [403, "rateLimitExceeded", "Too fast", "read", "throttled"],
    [403, "userRateLimitExceeded", "Too fast", "read", "throttled"],
    [
      400,
      "required",
      "Bucket is a requester pays bucket but no user project provided.",
      "read",
      "denied",
    ],
    [429, "rateLimitExceeded", "Too fast", "list", "throttled"],
    [503, "backendError", "Backend Error", "read", "throttled"],
    [500, "internalError", "Oops", "read", "unavailable"],
    [408, "", "", "put", "unavailable"],
    [400, "invalid", "Invalid name", "stat", "invalid"],
    [200, "", "", "read", "unavailable"],
    [302, "", "", "list", "unavailable"],
  ];
  for (const [status, reason, message, operation, meaning] of expected) {
    const answer = refusal(status, reason, message);
    const error = refusedOperation(answer, failed(operation), new FakeClock());
    assert.equal(error.code, meaning, `${status} ${reason} of ${operation}`);
    assert.match(error.message, new RegExp(`^Cannot ${operation} "a/b" of backend "data": `));
  }
});

Deno.test("refusedOperation passes on what Cloud Storage says, however it says it", () => {
  const said = (body: string) =>
    refusedOperation({ status: 403, header: () => null, body }, failed("read"), new FakeClock())
      .reason;
  assert.equal(
    said("No such object: shards/x"),
    "the service answered 403 (No such object: shards/x)",
  );
  const json = JSON.stringify({
    error: { code: 403, message: "Not you.", errors: [{ reason: "forbidden" }] },
  });
  assert.equal(said(json), "the service answered 403 forbidden (Not you.)");
  const xml =
    "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Not you.</Message></Error>";
  assert.equal(said(xml), "the service answered 403 AccessDenied (Not you.)");
  assert.equal(said("<html><body>Please log in</body></html>"), "the service answered 403");
  assert.equal(said(""), "the service answered 403");
});

Deno.test("refusedOperation says what to change", () => {
  const cases: [Refusal, BackendOperation, RegExp][] = [
    [refusal(404, "notFound", NO_BUCKET), "read", /root \(the bucket\)/],
    [refusal(403, "forbidden"), "list", /storage\.objects\.list on bucket "shards"/],
    [refusal(403, "forbidden"), "read", /storage\.objects\.get on bucket "shards"/],
    [refusal(401, "required", "Anonymous caller does not have"), "read", /another auth/],
    [refusal(401, "authError", "Invalid Credentials"), "read", /auth of the backend/],
    [refusal(400, "required", "Bucket is a requester pays bucket"), "read", /user_project/],
    [
      refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes."),
      "read",
      /scopes of the machine/,
    ],
  ];
  for (const [answer, operation, hint] of cases) {
    const error = refusedOperation(answer, failed(operation), new FakeClock());
    assert.match(error.hint ?? "", hint);
  }
});

Deno.test("refusedOperation says for how long Cloud Storage wants to be left alone", () => {
  const answer = refusal(429, "rateLimitExceeded", "Slower", { "retry-after": "7" });
  const error = refusedOperation(answer, failed("read"), new FakeClock());
  assert.equal(error.retryAfterMs, 7_000);
});

Deno.test("refusedOperation tells an object that the service decompressed", () => {
  const headers = { "x-goog-stored-content-encoding": "gzip" };
  const error = refusedOperation(refusal(200, "", "", headers), failed("read"), new FakeClock());
  assert.equal(error.code, "invalid");
  assert.match(error.reason, /Content-Encoding/);
});

Deno.test("isRefusedCredential is true of what another token may mend, not of haste", () => {
  assert.equal(isRefusedCredential(refusal(401, "authError", "Invalid Credentials")), true);
  assert.equal(isRefusedCredential(refusal(403, "forbidden", "No access")), true);
  assert.equal(isRefusedCredential(refusal(403, "rateLimitExceeded", "Too fast")), false);
  assert.equal(isRefusedCredential(refusal(404, "notFound", "Not Found")), false);
});
