import { equal } from "node:assert/strict";
import { Secret } from "../../platform/secret.ts";
import { credentialExpiryMs } from "./credential_expiry.ts";
import type { BackendSettings } from "../settings.ts";

function expiryOf(sas: string): number | null {
  const source: BackendSettings["source"] = {
    type: "azureblob",
    account: "account",
    container: "data",
    prefix: "",
    endpoint: "https://account.blob.core.windows.net",
    listPageSize: 1_000,
    auth: { method: "sas", sasToken: new Secret(sas) },
  };
  return credentialExpiryMs({ source });
}

Deno.test("A SAS says when it ends", () => {
  const ends = Date.UTC(2026, 11, 24, 18, 30);
  equal(expiryOf("?sv=2024-11-04&se=2026-12-24T18%3A30%3A00Z&sig=c2ln"), ends);
  equal(expiryOf("sv=2024-11-04&se=2026-12-24T18:30:00Z&sig=c2ln"), ends);
});

Deno.test("A SAS without an end of its own, and a directory, have none", () => {
  equal(expiryOf("?si=policy&sig=c2ln"), null);
  equal(expiryOf("?se=soon&sig=c2ln"), null);
  equal(credentialExpiryMs({ source: { type: "local", root: "/srv" } }), null);
});
