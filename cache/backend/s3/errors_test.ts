import assert from "node:assert/strict";
import type { BackendErrorCode, BackendOperation } from "../backend.ts";
import type { Refusal } from "../refusal.ts";
import { type FailedOperation, isRefusedCredential, refusedOperation } from "./errors.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

function failed(operation: BackendOperation): FailedOperation {
  return { backend: "data", operation, path: "a/b", bucket: "shards", region: "us-east-1" };
}

function refusal(
  status: number,
  code: string,
  headers: Record<string, string> = {},
  message = "It is so.",
): Refusal {
  const body = code === "" ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code>` +
    `<Message>${message}</Message><StringToSign>AWS4</StringToSign></Error>`;
  return { status, header: (name) => headers[name] ?? null, body };
}

Deno.test("isRefusedCredential is true of what newer credentials may mend", () => {
  for (const code of ["", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"]) {
    assert.equal(isRefusedCredential(refusal(403, code)), true, code);
  }
  assert.equal(isRefusedCredential(refusal(400, "ExpiredToken")), true);
  for (const code of ["RequestTimeTooSkewed", "RequestExpired", "InvalidObjectState"]) {
    assert.equal(isRefusedCredential(refusal(403, code)), false, code);
  }
});

Deno.test("refusedOperation tells what the service's answers mean", () => {
  const expected: [number, string, BackendOperation, BackendErrorCode][] = [
    [404, "NoSuchKey", "read", "changed"],
    [404, "NoSuchKey", "copy", "not_found"],
    [404, "NoSuchBucket", "read", "not_found"],
    [404, "NoSuchBucket", "list", "not_found"],
    [404, "", "stat", "not_found"],
    [412, "PreconditionFailed", "read", "changed"],
    [403, "AccessDenied", "list", "denied"],
    [403, "SignatureDoesNotMatch", "list", "denied"],
    [403, "RequestTimeTooSkewed", "list", "denied"],
    [403, "InvalidObjectState", "read", "invalid"],
    [400, "ExpiredToken", "read", "denied"],
    [400, "InvalidToken", "read", "denied"],
    [404, "XAdminUserNotFound", "read", "denied"],
    [403, "", "stat", "denied"],
    [401, "", "list", "denied"],
    [409, "OperationAborted", "put", "throttled"],
    [429, "", "read", "throttled"],
    [503, "SlowDown", "read", "throttled"],
    [400, "ThrottlingException", "list", "throttled"],
    [500, "InternalError", "list", "unavailable"],
    [400, "RequestTimeout", "put", "unavailable"],
    [408, "", "read", "unavailable"],
    [400, "KeyTooLongError", "stat", "invalid"],
    [200, "", "read", "unavailable"],
    [302, "", "list", "unavailable"],
  ];
  for (const [status, code, operation, meaning] of expected) {
    const error = refusedOperation(refusal(status, code), failed(operation), new FakeClock());
    assert.equal(error.code, meaning, `${status} ${code} of ${operation}`);
    assert.match(error.message, new RegExp(`^Cannot ${operation} "a/b" of backend "data": `));
    assert.doesNotMatch(error.message, /AWS4/);
  }
});

Deno.test("refusedOperation names the region of a bucket that is elsewhere", () => {
  const header = { "x-amz-bucket-region": "eu-west-1" };
  const cases = [
    refusal(301, "PermanentRedirect", header),
    refusal(301, "", header),
    refusal(400, "", header),
    refusal(400, "AuthorizationHeaderMalformed", {}, "is wrong; expecting 'eu-west-1'"),
  ];
  for (const answer of cases) {
    const error = refusedOperation(answer, failed("list"), new FakeClock());
    assert.equal(error.code, "denied");
    assert.match(error.reason, /wrong region: bucket "shards" is in "eu-west-1"/);
    assert.equal(error.hint, 'Set region of the backend to "eu-west-1"');
  }
});

Deno.test("refusedOperation takes a refusal in the right region for what it is", () => {
  const answer = refusal(400, "KeyTooLongError", { "x-amz-bucket-region": "us-east-1" });
  assert.equal(refusedOperation(answer, failed("stat"), new FakeClock()).code, "invalid");
});

Deno.test("refusedOperation says where to look for denied requests", () => {
  const hints: [string, RegExp][] = [
    ["InvalidAccessKeyId", /access key ID/],
    ["SignatureDoesNotMatch", /secret access key/],
    ["RequestTimeTooSkewed", /clock/],
    ["ExpiredToken", /session token/],
    ["AccessDenied", /s3:ListBucket/],
  ];
  for (const [code, hint] of hints) {
    const error = refusedOperation(refusal(403, code), failed("list"), new FakeClock());
    assert.match(error.hint ?? "", hint);
  }
  const error = refusedOperation(refusal(403, "AccessDenied"), failed("read"), new FakeClock());
  assert.match(error.hint ?? "", /s3:GetObject/);
});

Deno.test("refusedOperation passes on for how long S3 wants to be left alone", () => {
  const answer = refusal(503, "SlowDown", { "retry-after": "7" });
  assert.equal(refusedOperation(answer, failed("read"), new FakeClock()).retryAfterMs, 7_000);
});
