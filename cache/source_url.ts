/**
 * Stores named by a URL instead of a configuration file: `file:///DIRECTORY`,
 * `azblob://ACCOUNT/CONTAINER/PREFIX`, `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`. Everything
 * else has the defaults of the file. Credentials come from the environment, under the names the
 * tools of the clouds use.
 */
import { readBackends } from "./config/backend_config.ts";
import type { BackendSettings } from "./backend/settings.ts";
import type { ConfigProblem } from "./platform/config_problem.ts";
import { type ConfigInputs, ConfigReader } from "./platform/config_reader.ts";
import type { Environment } from "./platform/environment.ts";
import { CommandError } from "./platform/exit.ts";

/** The schemes there are, as messages show them. */
const FORMS = "file:///DIRECTORY, azblob://ACCOUNT/CONTAINER/PREFIX, s3://BUCKET/PREFIX or " +
  "gs://BUCKET/PREFIX";

/** A store named by a URL. */
export interface SourceUrl {
  readonly url: string;
  /** What the user wants of it, for messages: `mount`, `write to`. */
  readonly action: string;
}

/** What stands in a file for the store of a URL. */
export interface BackendText {
  readonly name: string;
  readonly type: string;
  readonly config: Readonly<Record<string, string>>;
  readonly auth?: Readonly<Record<string, string>>;
}

/** Whether `operand` is meant as a URL: `file:` or anything with `://`. */
export function isSourceUrl(operand: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(operand) || operand.startsWith("file:");
}

/**
 * The settings of the store that `source` names.
 *
 * @throws {CommandError} `usage` when the URL or a credential in the environment is no good.
 */
export function backendFromUrl(source: SourceUrl, inputs: ConfigInputs): BackendSettings {
  const text = JSON.stringify({ backends: [parseSourceUrl(source, inputs.env)] });
  // Goes through the file's own checks, so that both forms accept and refuse the same things.
  const reader = new ConfigReader(text, inputs);
  const [settings] = readBackends(reader);
  if (settings === undefined || reader.problems.length > 0) {
    throw refusedUrl(source, reader.problems);
  }
  return settings;
}

/** The error about a URL whose parts are not what a file may have in their place. */
export function refusedUrl(
  source: SourceUrl,
  problems: readonly Pick<ConfigProblem, "found" | "message">[],
): CommandError {
  const reasons = problems.map(({ found, message }) =>
    found === null ? message : `${found}: ${message}`
  );
  return wrongUrl(source, reasons.join("; "), `Run it again with ${FORMS}`);
}

/**
 * What a file would say of the store of `source`.
 *
 * @throws {CommandError} `usage` when it is no URL of a store.
 */
export function parseSourceUrl(source: SourceUrl, env: Environment): BackendText {
  const text = source.url;
  if (!URL.canParse(text)) throw wrongUrl(source, `it is no URL: wanted ${FORMS}`, null);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    throw wrongUrl(
      source,
      "it carries credentials or a query, which other users could see in the process list",
      CREDENTIAL_HINTS.get(url.protocol) ?? AZURE_HINT,
    );
  }
  if (url.hash !== "") {
    throw wrongUrl(source, 'it has a fragment: wanted a path, with "#" written as %23', null);
  }
  const path = decodePath(source, url.pathname);
  switch (url.protocol) {
    case "file:":
      return localBackend(source, url.host, path);
    case "azblob:":
      return azureBackend(source, url.host, path, env);
    case "s3:":
      return s3Backend(source, url.host, path, env);
    case "gs:":
    case "gcs:":
      return gcsBackend(source, url.host, path, env);
    default:
      throw wrongUrl(source, `its scheme is unknown: wanted ${FORMS}`, null);
  }
}

const AZURE_HINT = "Put the credentials into AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN";
const GOOGLE_HINT = "Name a file with the credentials in GOOGLE_APPLICATION_CREDENTIALS";

/** Where credentials belong that somebody wrote into a URL, by its scheme. */
const CREDENTIAL_HINTS: ReadonlyMap<string, string> = new Map([
  ["s3:", "Put the credentials into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
  ["gs:", GOOGLE_HINT],
  ["gcs:", GOOGLE_HINT],
]);

function localBackend(source: SourceUrl, host: string, path: string): BackendText {
  if (host !== "") {
    throw wrongUrl(
      source,
      `it names the host ${JSON.stringify(host)}: wanted three slashes and an absolute path`,
      `Did you mean file:///${host}${path}?`,
    );
  }
  return { name: "local", type: "local", config: { root: path } };
}

function azureBackend(
  source: SourceUrl,
  host: string,
  path: string,
  env: Environment,
): BackendText {
  const [, container = "", ...prefix] = path.split("/");
  if (host === "" || container === "") {
    throw wrongUrl(
      source,
      "it names no account or no container",
      "Write azblob://ACCOUNT/CONTAINER, with /PREFIX behind it if you want one",
    );
  }
  const endpoint = env.get("AZURE_STORAGE_BLOB_ENDPOINT");
  const auth = azureAuth(env);
  return {
    name: container.replace(/^\$/, ""),
    type: "azureblob",
    config: {
      account: host,
      root: container,
      prefix: prefix.join("/"),
      ...(endpoint ? { endpoint } : {}),
    },
    ...(auth === null ? {} : { auth }),
  };
}

/** Credentials come from the chain of the AWS SDK, which begins with the environment. */
function s3Backend(
  source: SourceUrl,
  bucket: string,
  path: string,
  env: Environment,
): BackendText {
  if (bucket === "") {
    const hint = "Write s3://BUCKET, with /PREFIX behind it if you want one";
    throw wrongUrl(source, "it names no bucket", hint);
  }
  const endpoint = env.get("AWS_ENDPOINT_URL_S3") || env.get("AWS_ENDPOINT_URL");
  return {
    name: bucket,
    type: "s3",
    config: { root: bucket, prefix: path.slice(1), ...(endpoint ? { endpoint } : {}) },
  };
}

/** Credentials are the application's default ones, which begin with the environment. */
function gcsBackend(
  source: SourceUrl,
  bucket: string,
  path: string,
  env: Environment,
): BackendText {
  if (bucket === "") {
    const hint = "Write gs://BUCKET, with /PREFIX behind it if you want one";
    throw wrongUrl(source, "it names no bucket", hint);
  }
  const emulator = env.get("STORAGE_EMULATOR_HOST");
  const override = env.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE");
  const endpoint = emulator ? emulator.replace(/^(?!https?:)/, "http://") : override;
  return {
    name: bucket,
    type: "gcs",
    config: {
      root: bucket,
      prefix: path.slice(1),
      // Some of the tools want the path of the API in it.
      ...(endpoint ? { endpoint: endpoint.replace(/(\/storage\/v1)?\/*$/, "") } : {}),
    },
    // An emulator knows nobody, and tokens are for the service they were given out for.
    ...(emulator ? { auth: { method: "none" } } : {}),
  };
}

/** The most specific credential of the environment; null means the identity of the machine. */
function azureAuth(env: Environment): Readonly<Record<string, string>> | null {
  const given = (name: string) => (env.get(name) ?? "") !== "";
  if (given("AZURE_STORAGE_KEY")) {
    return { method: "static", account_key_env: "AZURE_STORAGE_KEY" };
  }
  if (given("AZURE_STORAGE_SAS_TOKEN")) {
    return { method: "static", sas_env: "AZURE_STORAGE_SAS_TOKEN" };
  }
  if (given("AZURE_FEDERATED_TOKEN_FILE")) return { method: "workload_identity" };
  if (given("AZURE_CLIENT_SECRET")) {
    return {
      method: "service_principal",
      tenant_id: env.get("AZURE_TENANT_ID") ?? "",
      client_id_env: "AZURE_CLIENT_ID",
      client_secret_env: "AZURE_CLIENT_SECRET",
    };
  }
  return null;
}

function decodePath(source: SourceUrl, pathname: string): string {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch (error) {
    throw wrongUrl(source, "a % in it does not begin an encoded UTF-8 character", null, error);
  }
  // The configuration would take it for a variable.
  if (path.includes("${")) {
    throw wrongUrl(source, 'its path contains "${"', "Name the directory above it");
  }
  return path;
}

/** The error about a URL, which is shown without what may be a credential. */
function wrongUrl(
  { url, action }: SourceUrl,
  reason: string,
  hint: string | null,
  cause: unknown = undefined,
): CommandError {
  const shown = url.replace(/\/\/[^/@]*@/, "//***@").replace(/\?.*$/s, "?***");
  return new CommandError("usage", `Cannot ${action} "${shown}": ${reason}`, hint, { cause });
}
