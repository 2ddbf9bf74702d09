import { deepEqual, equal, throws } from "node:assert/strict";
import { CommandError } from "../cache/platform/exit.ts";
import type { Source } from "../cache/backend/settings.ts";
import { mountConfigFromUrl } from "./source_url.ts";

type Variables = Readonly<Record<string, string>>;

/** In the form of an account key; opens nothing. */
const KEY = "QWxsIGtleXMgYXJlIGJhc2U2NCB0ZXh0IGluIEF6dXJl";

function configOf(url: string, env: Variables = {}) {
  return mountConfigFromUrl(url, "/mnt/wd", {
    env: { get: (name) => env[name] },
    readTextFile: () => "",
    user: { uid: 1000, gid: 100 },
  });
}

function sourceOf(url: string, env: Variables = {}): Source | undefined {
  return configOf(url, env).backends[0]?.source;
}

function authOf(env: Variables): unknown {
  const source = sourceOf("azblob://acc/data", env);
  return source?.type === "azureblob" ? source.auth.method : undefined;
}

Deno.test("mountConfigFromUrl shows the store at the mount point itself", () => {
  const config = configOf("file:///srv/data");
  equal(config.mountPoint, "/mnt/wd");
  deepEqual(config.backends.map(({ name, mountPath }) => ({ name, mountPath })), [
    { name: "local", mountPath: "" },
  ]);
});

Deno.test("mountConfigFromUrl reads a directory, with encoded characters", () => {
  deepEqual(sourceOf("file:///srv/a%20b%23c/"), { type: "local", root: "/srv/a b#c" });
});

Deno.test("mountConfigFromUrl reads account, container and prefix", () => {
  deepEqual(sourceOf("azblob://acc/data/train/v2/"), {
    type: "azureblob",
    account: "acc",
    container: "data",
    prefix: "train/v2",
    endpoint: "https://acc.blob.core.windows.net",
    listPageSize: 5_000,
    auth: { method: "managed_identity", clientId: null, resourceId: null },
  });
});

Deno.test("mountConfigFromUrl takes the endpoint and credentials from the environment", () => {
  const endpoint = "http://127.0.0.1:10000/acc";
  const env = { AZURE_STORAGE_BLOB_ENDPOINT: endpoint, AZURE_STORAGE_KEY: KEY };
  const source = sourceOf("azblob://acc/data", env);
  equal(source?.type === "azureblob" ? source.endpoint : null, endpoint);
  equal(authOf({}), "managed_identity");
  equal(authOf({ AZURE_STORAGE_KEY: KEY }), "account_key");
  equal(authOf({ AZURE_STORAGE_SAS_TOKEN: "sv=1&sig=x" }), "sas");
  const application = { AZURE_TENANT_ID: "t", AZURE_CLIENT_ID: "c" };
  equal(authOf({ ...application, AZURE_FEDERATED_TOKEN_FILE: "/t" }), "workload_identity");
  equal(authOf({ ...application, AZURE_CLIENT_SECRET: "s" }), "service_principal");
});

Deno.test("mountConfigFromUrl reads a bucket of Cloud Storage, by either of its schemes", () => {
  for (const url of ["gs://data/train/v2/", "gcs://data/train/v2"]) {
    deepEqual(sourceOf(url, { GOOGLE_APPLICATION_CREDENTIALS: "/key.json" }), {
      type: "gcs",
      bucket: "data",
      prefix: "train/v2",
      endpoint: "https://storage.googleapis.com",
      userProject: null,
      caCertificates: null,
      proxy: null,
      listPageSize: 1_000,
      auth: {
        ...{ method: "default", keyFile: "/key.json", wellKnownFile: null },
        metadataHost: "169.254.169.254",
      },
    });
  }
});

Deno.test("mountConfigFromUrl finds Cloud Storage where the tools of Google do", () => {
  const placeOf = (env: Variables) => {
    const source = sourceOf("gs://data", env);
    return source?.type === "gcs" ? [source.endpoint, source.auth.method] : null;
  };
  const endpoint = "https://storage.example.org";
  for (const written of [endpoint, `${endpoint}/`, `${endpoint}/storage/v1/`]) {
    deepEqual(placeOf({ CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: written }), [endpoint, "default"]);
  }
  // An emulator has no identities, so the tools send it none.
  for (const written of ["127.0.0.1:4443", "http://127.0.0.1:4443/storage/v1"]) {
    deepEqual(placeOf({ STORAGE_EMULATOR_HOST: written }), ["http://127.0.0.1:4443", "none"]);
  }
});

/** A URL that cannot be mounted, and why. */
const REFUSED: readonly (readonly [url: string, message: string])[] = [
  ["file://srv/data", 'it names the host "srv"'],
  ["file:///mnt", 'contains the mount point "/mnt/wd"'],
  ["file:///srv/a#b", '"#" written as %23'],
  ["file:///srv/%ff", "does not begin an encoded UTF-8 character"],
  ["file:///srv/${HOME}", 'its path contains "${"'],
  ["azblob://acc", "it names no account or no container"],
  ["azblob://Acc/data", '"Acc": wanted a storage account name'],
  ["azblob://acc/d", '"d": wanted a container name'],
  ["azblob://acc/data/a//b", '"a//b": wanted a prefix of keys'],
  ["gs:///prefix", "it names no bucket"],
  ["gs://Bucket/prefix", '"Bucket": wanted a bucket name'],
  ["s3:///prefix", "it names no bucket"],
  ["https://acc.blob.core.windows.net/data", "its scheme is unknown"],
  ["nothing", "it is no URL"],
];

for (const [url, message] of REFUSED) {
  Deno.test(`mountConfigFromUrl refuses ${url}`, () => {
    throws(() => configOf(url), (error) => {
      if (!(error instanceof CommandError)) return false;
      equal(error.code, "usage");
      equal(error.message.startsWith(`Cannot mount "${url}": `), true, error.message);
      equal(error.message.includes(message), true, error.message);
      return true;
    });
  });
}

Deno.test("mountConfigFromUrl refuses credentials in a URL without printing them", () => {
  for (const url of ["azblob://user:hunter2@acc/data", "azblob://acc/data?sig=hunter2"]) {
    throws(
      () => configOf(url),
      (error) =>
        error instanceof CommandError && !`${error.message}${error.hint}`.includes("hunter2"),
    );
  }
});
