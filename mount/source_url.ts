/**
 * `warpdrive mount <url> <mountpoint>`: one store, without a configuration file.
 *
 * The store's root appears at the mount point itself, not in a directory below it, because that is
 * what a URL names. Everything else has the defaults of the configuration file. Credentials come
 * from the environment, under the names the `az` tool uses.
 */
import type { Environment } from "../cache/platform/environment.ts";
import { CommandError } from "../cache/platform/exit.ts";
import type { MountConfig } from "./config.ts";
import { type MountConfigInputs, parseMountConfig } from "./config_file.ts";

/** The schemes that can be mounted, as messages show them. */
const FORMS = "file:///DIRECTORY or azblob://ACCOUNT/CONTAINER/PREFIX";

/** What stands in a file for the store of a URL. */
interface BackendText {
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
 * The configuration that mounts `url` at `mountPoint`, an absolute path.
 *
 * @throws {CommandError} `usage` when the URL or a credential in the environment is no good.
 */
export function mountConfigFromUrl(
  url: string,
  mountPoint: string,
  inputs: MountConfigInputs,
): MountConfig {
  const backend = parseSourceUrl(url, inputs.env);
  // Goes through the file's own checks, so that both forms accept and refuse the same things.
  const outcome = parseMountConfig(
    JSON.stringify({ mount_point: mountPoint, backends: [backend] }),
    inputs,
  );
  if (!outcome.ok) {
    const reasons = outcome.problems.map(({ found, message }) =>
      found === null ? message : `${found}: ${message}`
    );
    throw wrongUrl(url, reasons.join("; "), `Run it again with ${FORMS}`);
  }
  return {
    ...outcome.config,
    teams: [],
    origin: "url",
    backends: outcome.config.backends.map((settings) => ({ ...settings, mountPath: "" })),
  };
}

function parseSourceUrl(text: string, env: Environment): BackendText {
  if (!URL.canParse(text)) throw wrongUrl(text, `it is no URL: wanted ${FORMS}`, null);
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    throw wrongUrl(
      text,
      "it carries credentials or a query, which other users could see in the process list",
      "Put the credentials into AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN",
    );
  }
  if (url.hash !== "") {
    throw wrongUrl(text, 'it has a fragment: wanted a path, with "#" written as %23', null);
  }
  const path = decodePath(text, url.pathname);
  switch (url.protocol) {
    case "file:":
      return localBackend(text, url.host, path);
    case "azblob:":
      return azureBackend(text, url.host, path, env);
    case "s3:":
    case "gs:":
    case "gcs:":
      throw wrongUrl(text, "this version has no support for it yet", `Use ${FORMS}`);
    default:
      throw wrongUrl(text, `its scheme is unknown: wanted ${FORMS}`, null);
  }
}

function localBackend(text: string, host: string, path: string): BackendText {
  if (host !== "") {
    throw wrongUrl(
      text,
      `it names the host ${JSON.stringify(host)}: wanted three slashes and an absolute path`,
      `Did you mean file:///${host}${path}?`,
    );
  }
  return { name: "local", type: "local", config: { root: path } };
}

function azureBackend(text: string, host: string, path: string, env: Environment): BackendText {
  const [, container = "", ...prefix] = path.split("/");
  if (host === "" || container === "") {
    throw wrongUrl(
      text,
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

function decodePath(text: string, pathname: string): string {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch (error) {
    throw wrongUrl(text, "a % in it does not begin an encoded UTF-8 character", null, error);
  }
  // The configuration would take it for a variable.
  if (path.includes("${")) {
    throw wrongUrl(text, 'its path contains "${"', "Mount the directory above it");
  }
  return path;
}

/** The error about `url`, which is shown without what may be a credential. */
function wrongUrl(
  url: string,
  reason: string,
  hint: string | null,
  cause: unknown = undefined,
): CommandError {
  const shown = url.replace(/\/\/[^/@]*@/, "//***@").replace(/\?.*$/s, "?***");
  return new CommandError("usage", `Cannot mount "${shown}": ${reason}`, hint, { cause });
}
