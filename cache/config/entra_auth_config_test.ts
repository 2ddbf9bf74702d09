import { deepEqual, equal } from "node:assert/strict";
import { readAzureSource } from "./azure_config.ts";
import { ConfigReader } from "../platform/config_reader.ts";
import { formatProblem } from "../platform/config_problem.ts";

type Mapping = Readonly<Record<string, string>>;

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
const KEY = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n";
const FILES: Mapping = { "/c.pem": CERTIFICATE + KEY, "/cert.pem": CERTIFICATE, "/pw": "hunter2" };
const APPLICATION = { method: "service_principal", tenant_id: "t", client_id: "c" };
const RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/" +
  "userAssignedIdentities/reader";

/** What `auth` describes, or else the problems with it. */
function authOf(auth: Mapping, env: Mapping = {}) {
  const text = JSON.stringify({ config: { account: "account", root: "data" }, auth });
  const reader = new ConfigReader(text, {
    env: { get: (name) => env[name] },
    readTextFile(path) {
      const content = FILES[path];
      if (content === undefined) throw new Error("No such file");
      return content;
    },
  });
  const source = readAzureSource(reader, []);
  const problems = reader.problems.map((problem) => formatProblem("f", problem));
  const found = source?.type === "azureblob" ? source.auth : null;
  return { auth: found, problems: problems.map((said) => said.split(": auth.")[1]) };
}

Deno.test("an identity of a machine is its own, or one named by either of its IDs", () => {
  const own = { method: "managed_identity", clientId: null, resourceId: null };
  deepEqual(authOf({ method: "managed_identity" }).auth, own);
  const byClient = { method: "managed_identity", client_id: "c" };
  deepEqual(authOf(byClient).auth, { ...own, clientId: "c" });
  const byResource = { method: "managed_identity", resource_id: RESOURCE };
  deepEqual(authOf(byResource).auth, { ...own, resourceId: RESOURCE });
});

Deno.test("an application shows a certificate, whose password is in a place of its own", () => {
  const open = authOf({ ...APPLICATION, client_certificate_file: "/c.pem" });
  deepEqual(open.auth, {
    method: "service_principal",
    tenantId: "t",
    clientId: "c",
    proof: { kind: "certificate", file: "/c.pem", password: null },
    authorityHost: null,
  });
  const { auth } = authOf({
    ...{ ...APPLICATION, client_certificate_file: "/c.pem" },
    client_certificate_password_file: "/pw",
  });
  const proof = auth?.method === "service_principal" ? auth.proof : null;
  equal(proof?.kind === "certificate" ? proof.password?.reveal() : null, "hunter2");
});

Deno.test("the Azure CLI may be asked for another tenant than its own", () => {
  deepEqual(authOf({ method: "azure_cli" }).auth, { method: "azure_cli", tenantId: null });
  const other = { method: "azure_cli", tenant_id: "t" };
  deepEqual(authOf(other).auth, { method: "azure_cli", tenantId: "t" });
});

const MISTAKES: readonly (readonly [auth: Mapping, problems: readonly string[]])[] = [
  [{ method: "managed_identity", client_id: "c", resource_id: RESOURCE }, [
    `resource_id: "${RESOURCE.slice(0, 60)}…": given beside a client ID: keep one of them`,
  ]],
  [{ method: "managed_identity", resource_id: "reader" }, [
    'resource_id: "reader": wanted a resource ID such as ' +
    '"/subscriptions/…/userAssignedIdentities/NAME"',
  ]],
  [{ ...APPLICATION }, [
    "client_secret_env: missing: wanted client_secret_env, client_secret_file or " +
    "client_certificate_file",
  ]],
  [{ ...APPLICATION, client_certificate_file: "/cert.pem" }, [
    'client_certificate_file: "/cert.pem": the file holds no private key in PEM: wanted both in ' +
    "one file",
  ]],
  [{ ...APPLICATION, client_certificate_file: "/none" }, [
    'client_certificate_file: "/none": the file cannot be read: No such file',
  ]],
  [{ ...APPLICATION, client_certificate_file: "/c.pem", client_secret_file: "/pw" }, [
    'client_certificate_file: "/c.pem": given beside a secret: keep one of them',
  ]],
  [{ ...APPLICATION, client_secret: "hunter2" }, [
    "client_secret: ***: secrets do not belong in this file: remove it and give " +
    "client_secret_env or client_secret_file",
  ]],
  [{ method: "azure_cli", client_id: "c" }, [
    'client_id: "c": not used by method "azure_cli": remove it',
  ]],
];

for (const [auth, expected] of MISTAKES) {
  Deno.test(`Entra settings say what is wrong with ${JSON.stringify(auth)}`.slice(0, 99), () => {
    deepEqual(authOf(auth).problems, expected);
  });
}
