import { equal, match } from "node:assert/strict";
import { awsIssuerError } from "./aws_chain.ts";
import { issuerFault } from "./issuer_error.ts";

const WANTED = { what: "AWS credentials", hint: "Check the trust policy", obtainedBefore: false };

Deno.test("an STS that nobody reached is no reason to check the policy of a role", () => {
  const said = "getaddrinfo ENOTFOUND sts.eu-central-1.amazonaws.com";
  const unreached = Object.assign(new Error(said), { code: "ENOTFOUND" });
  const fault = issuerFault(awsIssuerError(unreached), WANTED);
  equal(fault.code, "unavailable");
  equal(fault.message, `no AWS credentials (${said})`);
  match(fault.hint ?? "", /^Check the network/);
  const refusal = Object.assign(new Error("Not you"), { $metadata: { httpStatusCode: 403 } });
  equal(issuerFault(awsIssuerError(refusal), WANTED).hint, "Check the trust policy");
});

Deno.test("an STS whose certificate is not trusted is told with what helps, in every Deno", () => {
  for (const said of ["unable to verify the first certificate", "connection error"]) {
    const error = Object.assign(
      new Error(said),
      said === "connection error" ? { name: "Http" } : {},
    );
    const fault = issuerFault(awsIssuerError(error), WANTED);
    equal(fault.code, "unavailable");
    match(fault.hint ?? "", /DENO_CERT/);
  }
});
