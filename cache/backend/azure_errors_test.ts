import assert from "node:assert/strict";
import {
  brokenConnection,
  type FailedOperation,
  parseRetryAfterMs,
  redactUrls,
  type Refusal,
  refusedOperation,
} from "./azure_errors.ts";
import type { BackendErrorCode, BackendOperation } from "./backend.ts";
import { describeError } from "../platform/log.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";

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

Deno.test("parseRetryAfterMs takes seconds and dates", () => {
  assert.equal(parseRetryAfterMs("12", 0), 12_000);
  assert.equal(parseRetryAfterMs("Thu, 01 Jan 1970 00:01:00 GMT", 20_000), 40_000);
  assert.equal(parseRetryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 20_000), 0);
  assert.equal(parseRetryAfterMs("soon", 0), null);
  assert.equal(parseRetryAfterMs(null, 0), null);
});

Deno.test("brokenConnection says in words what failed, and never prints a SAS", () => {
  const url = "https://acc.blob.core.windows.net/c/b";
  const cases: [string, RegExp, RegExp][] = [
    [
      "client error (Connect): tcp connect error: Connection refused (os error 111)",
      /refused/,
      /runs/,
    ],
    [
      "client error (Connect): dns error: failed to lookup address",
      /cannot be resolved/,
      /account/,
    ],
    ["client error (Connect): invalid peer certificate: UnknownIssuer", /not trusted/, /CA_CERTS/],
    ["client error (Connect): tls handshake eof", /no TLS/, /http:/],
    ["connection error: Connection reset by peer (os error 104)", /reset/, /^$/],
    ["connection closed before message completed", /broke off/, /^$/],
  ];
  for (const [said, message, hint] of cases) {
    const cause = new Error(`error sending request for url (${url}?sv=1&sig=SECRET): ${said}`);
    const error = brokenConnection(new TypeError("fetch failed", { cause }), url);
    assert.match(error.message, message);
    assert.match(error.message, /acc\.blob\.core\.windows\.net/);
    assert.match(error.hint ?? "", hint);
    assert.doesNotMatch(describeError(error) + Deno.inspect(error), /SECRET/);
  }
});

Deno.test("redactUrls blanks queries and keeps the rest", () => {
  assert.equal(
    redactUrls("for (http://h:1/c/b?sig=S&se=1): no; https://i/x?y"),
    "for (http://h:1/c/b?***): no; https://i/x?***",
  );
});
