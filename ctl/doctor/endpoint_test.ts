import { equal } from "node:assert/strict";
import type { S3Auth } from "../../cache/backend/settings.ts";
import { usesIdentityService } from "./endpoint.ts";

function asksAs(auth: S3Auth): boolean {
  return usesIdentityService({
    type: "s3",
    bucket: "b",
    prefix: "",
    endpoint: "https://s3.example.org",
    region: "us-east-1",
    pathStyle: true,
    requesterPays: false,
    caCertificates: null,
    proxy: null,
    listPageSize: 1,
    auth,
  });
}

Deno.test("usesIdentityService sees the machine's identity behind a role and a vault", () => {
  const machine = { method: "managed_identity", clientId: null, resourceId: null } as const;
  const login = { method: "azure_cli", tenantId: null } as const;
  const named = { roleArn: "r", sessionName: "s", stsEndpoint: null };
  for (const identity of [machine, login]) {
    const subject = { kind: "entra", identity, audience: "api://aws" } as const;
    const secret = { vaultUrl: "https://v", secretName: "s", identity };
    const wanted = identity === machine;
    equal(asksAs({ method: "oidc_federation", role: { ...named, subject } }), wanted);
    equal(asksAs({ method: "static_keyvault", secret }), wanted);
  }
  const subject = { kind: "file", tokenFile: "/t" } as const;
  equal(asksAs({ method: "web_identity", role: { ...named, subject } }), false);
  equal(asksAs({ method: "default" }), true);
  equal(asksAs({ method: "none" }), false);
});
