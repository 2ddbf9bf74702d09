import { deepEqual, equal } from "node:assert/strict";
import { readBackends } from "./backend_config.ts";
import { GCS_CONFIG } from "./gcs_config.ts";
import { ConfigReader } from "../platform/config_reader.ts";
import { formatProblem } from "../platform/config_problem.ts";

type Mapping = Readonly<Record<string, string>>;

const FILES: Mapping = { "/etc/ca.pem": "-----BEGIN CERTIFICATE-----\n…" };
const POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";

/** The source that `config` and `auth` describe, or else the problems with them. */
function sourceOf(config: Mapping, auth: Mapping | null = null, env: Mapping = {}) {
  const backend = { name: "a", type: "gcs", config, ...(auth === null ? {} : { auth }) };
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
  const source = settings?.source.type === "gcs" ? settings.source : null;
  return { source, problems: problems.map((text) => text.replace(/^.*?backends\[0\]\./, "")) };
}

Deno.test("A gcs backend needs no more than a bucket", () => {
  const { source, problems } = sourceOf({ root: "data" });
  deepEqual(problems, []);
  deepEqual(source, {
    type: "gcs",
    bucket: "data",
    prefix: "",
    endpoint: "https://storage.googleapis.com",
    userProject: null,
    caCertificates: null,
    proxy: null,
    listPageSize: 1_000,
    auth: {
      ...{ method: "default", keyFile: null, wellKnownFile: null },
      metadataHost: "169.254.169.254",
    },
  });
});

Deno.test("A gcs backend finds credentials where the tools of Google do", () => {
  const auth = (env: Mapping) => sourceOf({ root: "data" }, null, env).source?.auth;
  deepEqual(auth({ HOME: "/home/me", GOOGLE_APPLICATION_CREDENTIALS: "/key.json" }), {
    method: "default",
    keyFile: "/key.json",
    wellKnownFile: "/home/me/.config/gcloud/application_default_credentials.json",
    metadataHost: "169.254.169.254",
  });
  deepEqual(auth({ CLOUDSDK_CONFIG: "/gcloud", GCE_METADATA_HOST: "near:80" }), {
    method: "default",
    keyFile: null,
    wellKnownFile: "/gcloud/application_default_credentials.json",
    metadataHost: "near:80",
  });
  // In this order their library for Node looks at them (gcp-metadata).
  const both = auth({ GCE_METADATA_HOST: "near:80", GCE_METADATA_IP: "192.0.2.1" });
  equal(both?.method === "default" ? both.metadataHost : null, "192.0.2.1");
});

Deno.test("A gcs backend reads every setting there is", () => {
  const { source, problems } = sourceOf(
    {
      root: "my.bucket_1",
      prefix: "/train/v2/",
      endpoint: "https://storage.example.org/",
      user_project: "billed-project",
      ca_bundle: "/etc/ca.pem",
      proxy: "http://proxy.example.org:3128",
      list_chunk: "10",
    },
    { method: "service_account", key_file: "/key.json" },
  );
  deepEqual(problems, []);
  deepEqual(source, {
    type: "gcs",
    bucket: "my.bucket_1",
    prefix: "train/v2",
    endpoint: "https://storage.example.org",
    userProject: "billed-project",
    caCertificates: FILES["/etc/ca.pem"],
    proxy: "http://proxy.example.org:3128",
    listPageSize: 10,
    auth: { method: "service_account", keyFile: "/key.json" },
  });
});

Deno.test("A gcs backend is let in by a pool of identities", () => {
  const file = { method: "gcp_wif", audience: POOL, token_file: "/token" };
  deepEqual(sourceOf({ root: "data" }, file).source?.auth, {
    method: "gcp_wif",
    audience: POOL,
    serviceAccount: null,
    subject: { kind: "file", tokenFile: "/token" },
    stsUrl: "https://sts.googleapis.com/v1/token",
    iamEndpoint: "https://iamcredentials.googleapis.com",
  });
  const entra = {
    method: "gcp_wif",
    audience: POOL,
    entra_resource: "api://warpdrive",
    client_id: "some-identity",
    service_account: "reader@project.iam.gserviceaccount.com",
    sts_url: "https://sts.example.org/v1/token",
    iam_endpoint: "https://iam.example.org",
  };
  deepEqual(sourceOf({ root: "data" }, entra).source?.auth, {
    method: "gcp_wif",
    audience: POOL,
    serviceAccount: "reader@project.iam.gserviceaccount.com",
    subject: { kind: "managed_identity", resource: "api://warpdrive", clientId: "some-identity" },
    stsUrl: "https://sts.example.org/v1/token",
    iamEndpoint: "https://iam.example.org",
  });
});

Deno.test("A gcs backend sends tokens over https, or within this machine", () => {
  const clear = { root: "data", endpoint: "http://storage.example.org" };
  deepEqual(sourceOf(clear).problems, [
    'config.endpoint: "http://storage.example.org": wanted an https URL, because tokens are ' +
    "never sent in the clear",
  ]);
  deepEqual(sourceOf(clear, { method: "none" }).problems, []);
  deepEqual(sourceOf({ root: "data", endpoint: "http://127.0.0.1:4443" }).problems, []);
});

Deno.test("GCS_CONFIG takes the bucket names there are", () => {
  const { root } = GCS_CONFIG.shape;
  for (const name of ["abc", "my.bucket", "under_score", "a-b", "1.2.example"]) {
    equal(root.safeParse(name).success, true, name);
  }
  for (const name of ["", "ab", "-ab", "ab-", "a/b", "a b", "Upper", "gs://abc"]) {
    equal(root.safeParse(name).success, false, name);
  }
});

/** Mistakes in `auth`, and what is said of them. */
const MISTAKES: readonly (readonly [auth: Mapping, problems: readonly string[]])[] = [
  [{ method: "service_account" }, [
    "auth.key_file: missing: wanted the key of the account, or method default",
  ]],
  [{ method: "none", key_file: "/key.json" }, [
    'auth.key_file: "/key.json": not used by method "none": remove it',
  ]],
  [{ method: "gcp_wif" }, [
    "auth.audience: missing: wanted the provider of the pool",
    "auth.token_file: missing: wanted token_file or entra_resource",
  ]],
  [{ method: "gcp_wif", audience: POOL, token_file: "/token", entra_resource: "api://a" }, [
    'auth.entra_resource: "api://a": given beside token_file: keep one of them',
  ]],
  [{ method: "gcp_wif", audience: POOL, token_file: "/token", client_id: "x" }, [
    'auth.client_id: "x": not used without entra_resource: remove it',
  ]],
  [{ method: "gcp_wif", audience: POOL, token_file: "/t", sts_url: "http://sts.example.org/v1" }, [
    'auth.sts_url: "http://sts.example.org/v1": wanted an https URL, because tokens are never ' +
    "sent in the clear",
  ]],
  [{ method: "service_account", key_file: "/k", private_key: "hunter2" }, [
    "auth.private_key: ***: secrets do not belong in this file: remove it and give key_file",
  ]],
];

for (const [auth, expected] of MISTAKES) {
  Deno.test(`A gcs backend says what is wrong with ${JSON.stringify(auth)}`, () => {
    deepEqual(sourceOf({ root: "data" }, auth).problems, expected);
  });
}
