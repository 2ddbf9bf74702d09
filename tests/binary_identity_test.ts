/**
 * That every way to credentials there is leads to a store in the compiled program, too: a bundler
 * stands between the SDKs and what they load only when it is needed.
 */
import { deepEqual, equal } from "node:assert/strict";
import { CONTAINER_TOKEN } from "./support/aws_fake.ts";
import { PROFILES, ROLE } from "./support/aws_home.ts";
import { TENANT_ID } from "./support/entra_fake.ts";
import { ACCOUNT as GOOGLE_ACCOUNT, ENTRA_RESOURCE, POOL } from "./support/google_fake.ts";
import { ACCOUNT, GUARDED, PUBLIC } from "./support/guarded_stores.ts";
import {
  CLIENT_SECRET,
  type IdentityWorld,
  KEYS,
  openIdentityWorld,
  POD_TOKEN,
  SAS_SIGNATURE,
  takeSeen,
} from "./support/identity_world.ts";
import { binaryPath } from "./support/installed_agent.ts";

const AUDIENCE = "api://AzureADTokenExchange";
const STORAGE = "https://storage.azure.com";
const POOL_SEEN = ["sts cloud-platform", "iamcredentials"];

type Mapping = Readonly<Record<string, string>>;

/** A way in, and what is seen of it at the issuers. */
interface Way {
  readonly name: string;
  readonly type: "azureblob" | "s3" | "gcs";
  readonly auth: Mapping;
  readonly seen: readonly string[];
}

/** One run of the program: ways that the environment does not lead elsewhere. */
interface Run {
  readonly title: string;
  readonly env: Mapping;
  readonly ways: readonly Way[];
}

function runsOf(world: IdentityWorld): readonly Run[] {
  const { aws, entra, google, front, files, proxy } = world;
  const sts = { AWS_ENDPOINT_URL_STS: aws.origin };
  const fromChain = (seen: readonly string[]): Way => way("s3", "default", {}, seen);
  const fromFile = (seen: readonly string[]): Way => way("gcs", "default", {}, seen);
  return [
    {
      title: "what the configuration names, a pod of EKS, and a user of gcloud",
      env: {
        ...sts,
        AWS_ENDPOINT_URL_SSO: aws.origin,
        AWS_ENDPOINT_URL_SSO_OIDC: aws.origin,
        AWS_ENDPOINT_URL_SIGNIN: aws.origin,
        AWS_ROLE_ARN: ROLE,
        AWS_WEB_IDENTITY_TOKEN_FILE: files.pod,
        AWS_ROLE_SESSION_NAME: "pod",
        AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
        GOOGLE_APPLICATION_CREDENTIALS: files.user,
      },
      ways: [
        fromChain([`sts ${ROLE} pod ${POD_TOKEN}`]),
        fromFile(["user"]),
        ...azureWays(world),
        ...s3Ways(world),
        ...gcsWays(world),
      ],
    },
    {
      title: "a container of AWS, and a machine of Google",
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.origin}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
        GCE_METADATA_HOST: google.host,
        AZURE_POD_IDENTITY_AUTHORITY_HOST: google.origin,
      },
      ways: [
        fromChain(["container"]),
        fromFile(["metadata"]),
        way("gcs", "gcp_wif", { ...pool(google.origin), entra_resource: ENTRA_RESOURCE }, [
          ...["entra system", ...POOL_SEEN],
        ], "entra"),
      ],
    },
    {
      title: "a machine of AWS, a user of gcloud, a pool and an application, behind a proxy",
      env: {
        AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.origin,
        GOOGLE_APPLICATION_CREDENTIALS: files.farUser,
        HTTPS_PROXY: proxy.url,
      },
      ways: [
        fromChain(["metadata"]),
        fromFile(["user"]),
        way("gcs", "gcp_wif", { ...pool(front.endpoint), token_file: files.subject }, POOL_SEEN),
        applicationWay(world, "secret", { client_secret_env: "CLIENT_SECRET" }),
      ],
    },
    {
      title: "keys of the environment, and a file of federation",
      env: {
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
        GOOGLE_APPLICATION_CREDENTIALS: files.external,
      },
      ways: [fromChain([]), fromFile(["sts devstorage.read_write"])],
    },
  ];
}

function way(
  type: Way["type"],
  method: string,
  auth: Mapping,
  seen: readonly string[],
  more = "",
): Way {
  const name = [type, method, more].filter((word) => word !== "").join("-").replaceAll("_", "-");
  return { name, type, auth: { method, ...auth }, seen };
}

function applicationWay({ entra }: IdentityWorld, proof: string, auth: Mapping): Way {
  const application = {
    ...{ tenant_id: TENANT_ID, client_id: "application", authority_host: entra.authorityHost },
    ...auth,
  };
  const seen = [`authority application ${proof} ${STORAGE}`];
  return way("azureblob", "service_principal", application, seen, proof);
}

function azureWays(world: IdentityWorld): readonly Way[] {
  const { entra, application, files } = world;
  const pod = {
    ...{ tenant_id: TENANT_ID, client_id: "pod", authority_host: entra.authorityHost },
    token_file: files.pod,
  };
  return [
    way("azureblob", "none", {}, []),
    way("azureblob", "static", { account_key_env: "ACCOUNT_KEY" }, [], "key"),
    way("azureblob", "static", { sas_env: "SAS" }, [], "sas"),
    way("azureblob", "managed_identity", {}, [`metadata system ${STORAGE}`]),
    way(
      "azureblob",
      "managed_identity",
      { client_id: "team" },
      [`metadata team ${STORAGE}`],
      "team",
    ),
    applicationWay(world, "secret", { client_secret_env: "CLIENT_SECRET" }),
    applicationWay(world, "certificate", { client_certificate_file: application.file }),
    way("azureblob", "workload_identity", pod, [`authority pod ${POD_TOKEN} ${STORAGE}`]),
    way("azureblob", "azure_cli", {}, [`metadata cli ${STORAGE}`]),
  ];
}

function s3Ways({ aws, vault, files }: IdentityWorld): readonly Way[] {
  const keys = { access_key_id_env: "KEY_ID", secret_access_key_env: "KEY_SECRET" };
  const role = { role_arn: ROLE, session_name: "me", sts_endpoint: aws.origin };
  const secret = { vault_url: vault.url, secret_name: "tenant" };
  return [
    way("s3", "none", {}, []),
    way("s3", "static", keys, []),
    ...Object.entries(PROFILES).map(([profile, seen]) =>
      way("s3", "profile", { profile }, seen, profile)
    ),
    way("s3", "web_identity", { ...role, token_file: files.pod }, [`sts ${ROLE} me ${POD_TOKEN}`]),
    way("s3", "oidc_federation", { ...role, token_file: files.pod }, [
      `sts ${ROLE} me ${POD_TOKEN}`,
    ], "pod"),
    way("s3", "oidc_federation", { ...role, audience: AUDIENCE }, [
      ...[`metadata system ${AUDIENCE}`, `sts ${ROLE} me a token of Entra`],
    ], "entra"),
    way("s3", "static_keyvault", secret, ["metadata system https://vault.azure.net", "tenant"]),
  ];
}

function pool(origin: string): Mapping {
  const account = { audience: POOL, service_account: GOOGLE_ACCOUNT };
  return { ...account, sts_url: `${origin}/v1/token`, iam_endpoint: origin };
}

function gcsWays({ google, files }: IdentityWorld): readonly Way[] {
  return [
    way("gcs", "none", {}, []),
    way("gcs", "service_account", { key_file: files.key }, ["key"]),
    way("gcs", "gcp_wif", { ...pool(google.origin), token_file: files.subject }, POOL_SEEN),
  ];
}

/** What the program says of the ways that do not lead in. */
async function check({ env, ways }: Run, world: IdentityWorld): Promise<readonly string[]> {
  const { authority, origin } = world;
  const backends = ways.map(({ name, type, auth }) => {
    const root = auth["method"] === "none" ? PUBLIC : GUARDED;
    const config = type === "azureblob"
      ? { account: ACCOUNT, root, endpoint: `${origin}/${ACCOUNT}` }
      : { root, endpoint: origin, ca_bundle: authority.authorityFile };
    return { name, type, config, auth };
  });
  const config = `${authority.directory}/config.json`;
  const mount = { mount_point: "/mnt/none", metrics: { enabled: false }, backends };
  await Deno.writeTextFile(config, JSON.stringify(mount));
  const { stdout, stderr } = await new Deno.Command(binaryPath(), {
    args: ["mount", "--check", "--config", config],
    clearEnv: true,
    env: {
      ...{ DENO_CERT: authority.authorityFile, HOME: authority.directory, NO_COLOR: "1" },
      PATH: `${authority.directory}:${Deno.env.get("PATH") ?? ""}`,
      ...{ ACCOUNT_KEY: "YWxsIGFjY291bnQga2V5cyBhcmUgYmFzZTY0", CLIENT_SECRET },
      ...{ SAS: `sv=2024-11-04&sig=${SAS_SIGNATURE}` },
      ...{ KEY_ID: KEYS.accessKeyId, KEY_SECRET: KEYS.secretAccessKey, AWS_REGION: "us-east-1" },
      ...env,
    },
    cwd: "/",
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return ways.flatMap(({ name }) => {
    const line = said.split("\n").find((line) => line.includes(`"${name}"`)) ?? said;
    return / lists its root in \S+, and holds nothing/.test(line) ? [] : [line];
  });
}

Deno.test("every method to be let in works in the compiled program", async (t) => {
  await using owned = new AsyncDisposableStack();
  const world = await openIdentityWorld(owned);
  for (const run of runsOf(world)) {
    await t.step(run.title, async () => {
      const failures = await check(run, world);
      const seen = takeSeen(world);
      equal(failures.join("\n"), "");
      deepEqual(seen, run.ways.flatMap(({ seen }) => seen).sort());
      const tunnels = new Set(world.proxy.seen.splice(0));
      deepEqual(tunnels, new Set("HTTPS_PROXY" in run.env ? farHosts(world) : []));
    });
  }
});

/** Stores and issuers that are not on the machine itself, as far as the program knows. */
function farHosts({ origin, front, entra }: IdentityWorld): readonly string[] {
  return [origin, front.endpoint, entra.authorityHost].map((url) => new URL(url).host);
}
