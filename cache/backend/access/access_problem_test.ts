import { equal, match } from "node:assert/strict";
import { BackendError, type BackendErrorCode } from "../backend.ts";
import { type AccessFacts, type AccessProblem, judgeAccess } from "./access_problem.ts";

const FACTS: AccessFacts = {
  operation: "list",
  mayAskForObjects: false,
  skewMs: 0,
  terms: null,
  nowMs: 1_000_000,
};

function errorOf(code: BackendErrorCode, reason: string, hint: string | null = null) {
  return new BackendError(code, "b", "list", "", reason, hint);
}

/** What several stores say, and what it means. */
const SAYINGS: readonly (readonly [BackendErrorCode, string, AccessProblem])[] = [
  ["not_found", 'there is no container "x": the service answered 404', "wrong container"],
  ["denied", "the service answered 403 AuthenticationFailed", "credential refused"],
  ["denied", "the service answered 403 AccessDenied (Access Denied)", "no permission to list"],
  ["denied", "answered 403 AuthorizationPermissionMismatch", "no permission to list"],
  ["denied", "answered 403 (a@b.c does not have storage.objects.list)", "no permission to list"],
  ["denied", "answered 401 (Anonymous caller does not have storage.x)", "credential refused"],
  ["denied", "the service answered 403 InvalidAccessKeyId", "credential refused"],
  ["denied", "the service answered 403 RequestTimeTooSkewed", "clock skew"],
  ["denied", "answered 403 (Request date header too old: 'Mon')", "clock skew"],
  ["denied", "the service answered 400 ExpiredToken", "expired credential"],
  ["denied", "no access token from Entra (AADSTS7000222: The secret …)", "expired credential"],
  [
    "denied",
    "answered 403 (Signature not valid in the specified time frame)",
    "expired credential",
  ],
  ["denied", "answered 400 AuthorizationHeaderMalformed (expecting 'eu-1')", "wrong region"],
  ["invalid", "the service answered 301 PermanentRedirect", "wrong region"],
  ["unavailable", "the answer is none of a Blob service", "wrong endpoint"],
  ["unavailable", 'its root "/srv" does not exist', "wrong root"],
  ["unavailable", 'its root "/srv" is no directory', "wrong root"],
  ["unavailable", 'its root "/srv" cannot be opened (EIO)', "no answer"],
  ["denied", 'this user may not open its root "/srv"', "no permission to list"],
  ["unavailable", "the name of acc.example cannot be resolved", "wrong endpoint"],
  ["unavailable", "connection refused by 127.0.0.1:1", "no answer"],
  ["timeout", "no progress within 8s", "no answer"],
  ["throttled", "the service asks to slow down", "asked to slow down"],
  ["invalid", "the service answered 400", "other failure"],
];

for (const [code, reason, problem] of SAYINGS) {
  Deno.test(`judgeAccess takes "${reason.slice(0, 60)}" (${code}) for: ${problem}`, () => {
    equal(judgeAccess(errorOf(code, reason), FACTS).problem, problem);
  });
}

Deno.test("judgeAccess blames the clock before the credential", () => {
  const terms = { startsMs: null, expiresMs: 1, lacks: "" };
  const refused = errorOf("denied", "the service answered 403 AuthenticationFailed");
  const { problem, detail, remedy } = judgeAccess(refused, { ...FACTS, skewMs: -900_000, terms });
  equal(problem, "clock skew");
  match(detail, /^clock skew: this machine is 15m behind; the service answered 403/);
  match(remedy, /timedatectl/);
  equal(judgeAccess(refused, { ...FACTS, terms }).problem, "expired credential");
});

Deno.test("judgeAccess tells a missing right from a refused credential", () => {
  const refused = errorOf("denied", "the service answered 403", "Grant the role");
  const mayAsk = { ...FACTS, mayAskForObjects: true };
  equal(judgeAccess(refused, mayAsk).problem, "no permission to list");
  const reading: AccessFacts = { ...FACTS, operation: "read" };
  equal(judgeAccess(refused, reading).problem, "no permission to read");
  equal(judgeAccess(refused, reading).remedy, "Grant the role");
});

Deno.test("judgeAccess does not repeat what the reason has of its cause", () => {
  const cause = new Error("nobody listens");
  const reason = "no access token (nobody listens)";
  const broken = new BackendError("unavailable", "b", "list", "", reason, null, null, { cause });
  equal(judgeAccess(broken, FACTS).detail, "no answer: no access token (nobody listens)");
});

Deno.test("judgeAccess adds the cause of a broken connection, and always a remedy", () => {
  const cause = new Error("dial: no route");
  const broken = new BackendError("unavailable", "b", "list", "", "no answer", null, null, {
    cause,
  });
  const { detail, remedy } = judgeAccess(broken, FACTS);
  equal(detail, "no answer: no answer: dial: no route");
  equal(remedy, "Check config and auth of the backend");
});
