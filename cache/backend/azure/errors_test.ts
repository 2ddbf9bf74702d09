import assert from "node:assert/strict";
import { type FailedOperation, refusedOperation } from "./errors.ts";
import type { BackendErrorCode, BackendOperation } from "../backend.ts";
import type { Refusal } from "../refusal.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

function failed(operation: BackendOperation): FailedOperation {
  return { backend: "data", operation, path: "a/b", container: "shards" };
}

function refusal(status: number, code: string, headers: Record<string, string> = {}): Refusal {
  const body = code === "" ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code>` +
    "<Message>It is so.\nRequestId:1\nTime:2</Message></Error>";
  return { status, header: (name) => headers[name] ?? null, body };
}

Deno.test("refusedOperation tells what the service's answers mean", () => {
  const expected: [number, string, BackendOperation, BackendErrorCode][] = [
    [404, "BlobNotFound", "read", "changed"],
    [404, "BlobNotFound", "copy", "not_found"],
    [404, "ContainerNotFound", "read", "not_found"],
    [404, "ContainerNotFound", "list", "not_found"],
    [404, "", "stat", "not_found"],
    [412, "ConditionNotMet", "read", "changed"],
    [412, "LeaseIdMissing", "put", "denied"],
    [401, "NoAuthenticationInformation", "list", "denied"],
    [403, "AuthorizationPermissionMismatch", "list", "denied"],
    [400, "InvalidAuthenticationInfo", "list", "denied"],
    [409, "PublicAccessNotPermitted", "list", "denied"],
    [409, "ContainerBeingDeleted", "list", "throttled"],
    [409, "BlobArchived", "read", "invalid"],
    [416, "InvalidRange", "read", "invalid"],
    [400, "OutOfRangeInput", "put", "invalid"],
    [429, "", "read", "throttled"],
    [503, "ServerBusy", "read", "throttled"],
    [500, "InternalError", "read", "unavailable"],
    [502, "", "read", "unavailable"],
    [200, "", "read", "unavailable"],
    [302, "", "list", "unavailable"],
  ];
  for (const [status, serviceCode, operation, code] of expected) {
    const error = refusedOperation(
      refusal(status, serviceCode),
      failed(operation),
      new FakeClock(),
    );
    assert.equal(error.code, code, `${status} ${serviceCode} of ${operation}`);
  }
});

Deno.test("refusedOperation says what the service said, and what to do", () => {
  const error = refusedOperation(
    refusal(403, "AuthorizationPermissionMismatch"),
    failed("list"),
    new FakeClock(),
  );
  assert.equal(
    error.message,
    'Cannot list "a/b" of backend "data": ' +
      "the service answered 403 AuthorizationPermissionMismatch (It is so.)",
  );
  assert.match(error.hint ?? "", /Storage Blob Data Reader/);
});

Deno.test("refusedOperation passes on how long the service asks to be left alone", () => {
  const answer = refusal(503, "ServerBusy", { "retry-after": "7" });
  assert.equal(refusedOperation(answer, failed("read"), new FakeClock()).retryAfterMs, 7_000);
});
