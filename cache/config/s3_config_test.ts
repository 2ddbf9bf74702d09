import { deepEqual, equal, match } from "node:assert/strict";
import { readBackends } from "./backend_config.ts";
import { S3_CONFIG } from "./s3_config.ts";
import { ConfigReader } from "../platform/config_reader.ts";
import { formatProblem } from "../platform/config_problem.ts";

type Mapping = Readonly<Record<string, string>>;

const FILES: Mapping = {
  "/etc/ca.pem": "-----BEGIN CERTIFICATE-----\n…",
  "/etc/empty": "",
  "/etc/secret": "hunter2\n",
};

/** The source that `config` and `auth` describe, or else the problems with them. */
function sourceOf(config: Mapping, auth: Mapping | null = null, env: Mapping = {}) {
  const backend = { name: "a", type: "s3", config, ...(auth === null ? {} : { auth }) };
  const reader = new ConfigReader(JSON.stringify({ backends: [backend] }), {
    env: { get: (name) => env[name] },
    readTextFile(path) {
      const text = FILES[path];
      if (text === undefined) throw new Error("No such file");
      return text;
    },
  });
  const [settings] = readBackends(reader);
  const problems = reader.problems.map((problem) => formatProblem("f", problem));
  const source = settings?.source.type === "s3" ? settings.source : null;
  return { source, problems: problems.map((text) => text.replace(/^.*?backends\[0\]\./, "")) };
}

Deno.test("An s3 backend needs no more than a bucket", () => {
  const { source, problems } = sourceOf({ root: "data" });
  deepEqual(problems, []);
  deepEqual(source, {
    type: "s3",
    bucket: "data",
    prefix: "",
    endpoint: "https://s3.us-east-1.amazonaws.com",
    region: "us-east-1",
    pathStyle: false,
    requesterPays: false,
    caCertificates: null,
    proxy: null,
    listPageSize: 1_000,
    auth: { method: "default" },
  });
});

Deno.test("An s3 backend takes its region from the environment unless it names one", () => {
  const env = { AWS_DEFAULT_REGION: "eu-west-1" };
  equal(sourceOf({ root: "data" }, null, env).source?.region, "eu-west-1");
  const both = { ...env, AWS_REGION: "eu-west-2" };
  equal(sourceOf({ root: "data" }, null, both).source?.region, "eu-west-2");
  const china = sourceOf({ root: "data", region: "cn-north-1" }, null, both).source;
  equal(china?.endpoint, "https://s3.cn-north-1.amazonaws.com.cn");
});

Deno.test("An s3 backend with an endpoint names the bucket in the path by default", () => {
  const endpoint = "https://s3.example.org";
  equal(sourceOf({ root: "data", endpoint }).source?.pathStyle, true);
  equal(sourceOf({ root: "data", endpoint, path_style: "false" }).source?.pathStyle, false);
});

Deno.test("An s3 backend reads the certificates it is to trust", () => {
  const { source } = sourceOf({ root: "data", ca_bundle: "/etc/ca.pem" });
  equal(source?.caCertificates, FILES["/etc/ca.pem"]);
  for (
    const [file, message] of [
      ["/etc/empty", "the file holds no certificate in PEM"],
      ["/etc/none", "the file cannot be read: No such file"],
    ] as const
  ) {
    const { problems } = sourceOf({ root: "data", ca_bundle: file });
    deepEqual(problems, [`config.ca_bundle: "${file}": ${message}`]);
  }
});

Deno.test("S3_CONFIG takes the bucket names there are", () => {
  const { root } = S3_CONFIG.shape;
  for (const name of ["abc", "my.bucket", "Old_Bucket", "a-b"]) {
    equal(root.safeParse(name).success, true, name);
  }
  for (const name of ["", "a", "-ab", "a/b", "a b", "s3://a"]) {
    equal(root.safeParse(name).success, false, name);
  }
});

Deno.test("An s3 backend takes keys from variables and files, and prints none", () => {
  const env = { ID: "id", TOKEN: "hunter3" };
  const keys = { method: "static", access_key_id_env: "ID", secret_access_key_file: "/etc/secret" };
  const temporary = { ...keys, session_token_env: "TOKEN" };
  const { source } = sourceOf({ root: "data" }, temporary, env);
  if (source?.auth.method !== "static") throw new Error("Not static");
  equal(source.auth.accessKeyId.reveal(), "id");
  equal(source.auth.secretAccessKey.reveal(), "hunter2");
  equal(source.auth.sessionToken?.reveal(), "hunter3");
  equal(/hunter/.test(Deno.inspect(source) + JSON.stringify(source)), false);
  const durable = sourceOf({ root: "data" }, keys, env).source?.auth;
  equal(durable?.method === "static" ? durable.sessionToken : undefined, null);
});

Deno.test("An s3 backend takes a web identity from the variables of EKS", () => {
  const env = { AWS_ROLE_ARN: "arn:aws:iam::1:role/r", AWS_WEB_IDENTITY_TOKEN_FILE: "/t" };
  deepEqual(sourceOf({ root: "data" }, { method: "web_identity" }, env).source?.auth, {
    method: "web_identity",
    role: {
      roleArn: "arn:aws:iam::1:role/r",
      sessionName: "warpdrive",
      subject: { kind: "file", tokenFile: "/t" },
      stsEndpoint: null,
    },
  });
});

const ROLE = "arn:aws:iam::1:role/r";
const MACHINE = { method: "managed_identity", clientId: null, resourceId: null };

Deno.test("An s3 backend takes a role for a token of Entra, in a session of its own name", () => {
  const written = { method: "oidc_federation", role_arn: ROLE, audience: "api://aws" };
  deepEqual(sourceOf({ root: "data" }, written).source?.auth, {
    method: "oidc_federation",
    role: {
      roleArn: ROLE,
      sessionName: "warpdrive-a",
      subject: { kind: "entra", identity: MACHINE, audience: "api://aws" },
      stsEndpoint: null,
    },
  });
  const named = { ...written, client_id_env: "ID", sts_endpoint: "https://sts.example.org" };
  const auth = sourceOf({ root: "data" }, named, { ID: "some-id" }).source?.auth;
  if (auth?.method !== "oidc_federation") throw new Error("Not federated");
  deepEqual(auth.role.subject, {
    kind: "entra",
    identity: { ...MACHINE, clientId: "some-id" },
    audience: "api://aws",
  });
  equal(auth.role.stsEndpoint, "https://sts.example.org");
});

Deno.test("An s3 backend shows tokens to no STS in the clear, but on this machine", () => {
  const token = { role_arn: ROLE, token_file: "/t" };
  for (const method of ["web_identity", "oidc_federation"]) {
    const remote = { ...token, method, sts_endpoint: "http://sts.example.org" };
    match(sourceOf({ root: "data" }, remote).problems.join(), /sts_endpoint.*sent in the clear/);
    const local = { ...token, method, sts_endpoint: "http://127.0.0.1:1" };
    deepEqual(sourceOf({ root: "data" }, local).problems, []);
  }
});

Deno.test("An s3 backend takes a role for a token in a file", () => {
  const written = { method: "oidc_federation", role_arn: ROLE, token_file: "/t" };
  const auth = sourceOf({ root: "data" }, written).source?.auth;
  if (auth?.method !== "oidc_federation") throw new Error("Not federated");
  deepEqual(auth.role.subject, { kind: "file", tokenFile: "/t" });
});

Deno.test("An s3 backend takes keys from a vault, as whoever may read them", () => {
  const vault = {
    method: "static_keyvault",
    vault_url: "https://v.vault.azure.net",
    secret_name: "vast-a",
  };
  const secret = { vaultUrl: vault.vault_url, secretName: vault.secret_name, identity: MACHINE };
  deepEqual(sourceOf({ root: "data" }, vault).source?.auth, { method: vault.method, secret });
  const principal = {
    ...{ ...vault, identity: "service_principal", tenant_id: "t", client_id: "c" },
    client_secret_file: "/etc/secret",
  };
  const auth = sourceOf({ root: "data" }, principal).source?.auth;
  if (auth?.method !== "static_keyvault") throw new Error("No vault");
  equal(auth.secret.identity.method, "service_principal");
  equal(/hunter/.test(Deno.inspect(auth, { depth: 9 }) + JSON.stringify(auth)), false);
});

/** Mistakes in `auth`, and what is said of them. */
const MISTAKES: readonly (readonly [auth: Mapping, problems: readonly string[]])[] = [
  [{ method: "static" }, [
    "auth.access_key_id_env: missing: wanted access_key_id_env or access_key_id_file",
    "auth.secret_access_key_env: missing: wanted secret_access_key_env or secret_access_key_file",
  ]],
  [{ method: "profile" }, ["auth.profile: missing: wanted the name of a profile"]],
  [{ method: "none", profile: "p" }, [
    'auth.profile: "p": not used by method "none": remove it',
  ]],
  [{ method: "web_identity" }, [
    "auth.role_arn: missing: wanted a role, here or in AWS_ROLE_ARN",
    "auth.token_file: missing: wanted a path, here or in AWS_WEB_IDENTITY_TOKEN_FILE",
  ]],
  [{ method: "oidc_federation" }, [
    "auth.role_arn: missing: wanted the role to assume",
    "auth.audience: missing: wanted the application that tokens are for, or token_file",
  ]],
  [{ method: "oidc_federation", role_arn: ROLE, audience: "a", token_file: "/t" }, [
    'auth.audience: "a": given beside token_file: keep one of them',
  ]],
  [{ method: "oidc_federation", role_arn: ROLE, token_file: "/t", client_id: "c" }, [
    'auth.client_id: "c": not used by method "oidc_federation": remove it',
  ]],
  [{ method: "static_keyvault", vault_url: "http://v.example.org" }, [
    "auth.secret_name: missing: wanted the name of the secret",
    'auth.vault_url: "http://v.example.org": wanted an https URL, because tokens are never sent ' +
    "in the clear",
  ]],
  [{ method: "static_keyvault", identity: "service_principal", secret_name: "s" }, [
    "auth.vault_url: missing: wanted the URL of the vault",
    "auth.tenant_id: missing: wanted the tenant of the principal",
    "auth.client_id: missing: wanted client_id or client_id_env",
    "auth.client_secret_env: missing: wanted client_secret_env, client_secret_file or " +
    "client_certificate_file",
  ]],
  [{ method: "static", secret_access_key: "hunter2" }, [
    "auth.secret_access_key: ***: secrets do not belong in this file: remove it and give " +
    "secret_access_key_env or secret_access_key_file",
  ]],
];

for (const [auth, expected] of MISTAKES) {
  Deno.test(`An s3 backend says what is wrong with ${JSON.stringify(auth)}`, () => {
    deepEqual(sourceOf({ root: "data" }, auth).problems, expected);
  });
}
