/** Everybody who gives out credentials, and stores that let in who has one. */
import { startAwsFake } from "./aws_fake.ts";
import { writeAwsHome } from "./aws_home.ts";
import { startConnectProxy } from "./connect_proxy.ts";
import { EntraFake } from "./entra_fake.ts";
import { GoogleFake, POOL, SUBJECT_TOKEN, USER } from "./google_fake.ts";
import { serveGuardedStores } from "./guarded_stores.ts";
import {
  createTestAuthority,
  makeApplicationCertificate,
  type TestAuthority,
} from "./test_authority.ts";
import { startTlsFront } from "./tls_front.ts";
import { TokenBook } from "./token_book.ts";
import { VaultFake } from "./vault_fake.ts";

/** What lets in to S3. */
export const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret/of+example" };
/** The one secret of applications. */
export const CLIENT_SECRET = "secret-of-application";
/** The one signature of a SAS that is good. */
export const SAS_SIGNATURE = "c2FzLXNpZ25hdHVyZQ";
/** What a pod has to show. */
export const POD_TOKEN = "an.assertion.of-a-pod";

/** The issuers, the stores, and files that name them. */
export async function openIdentityWorld(owned: AsyncDisposableStack) {
  const authority = owned.use(await createTestAuthority());
  const read = (path: string) => Deno.readTextFile(path);
  const certificate = {
    cert: await read(authority.certificateFile),
    key: await read(authority.keyFile),
  };
  const application = await makeApplicationCertificate(authority);
  const tokens = new TokenBook();
  const google = owned.use(GoogleFake.start(tokens));
  const aws = owned.use(startAwsFake(KEYS, Date.now() + 3_600_000));
  const entra = owned.use(
    new EntraFake({
      ...{ certificate: certificate.cert, key: certificate.key, lifetimeMs: 3_600_000 },
      ...{ clientSecret: CLIENT_SECRET, applicationKey: await read(application.publicKeyFile) },
    }),
  );
  const vault = owned.use(new VaultFake(entra, certificate));
  const { accessKeyId: access_key, secretAccessKey: secret_key } = KEYS;
  vault.secrets.set("tenant", JSON.stringify({ access_key, secret_key }));
  const guards = { certificate, keys: KEYS, tokens, entra, sasSignature: SAS_SIGNATURE };
  const stores = serveGuardedStores(guards);
  owned.defer(() => stores.shutdown());
  const proxy = owned.use(startConnectProxy());
  const front = owned.use(await startTlsFront(google.origin, authority));
  const files = await writeFiles(authority, google, front.endpoint, entra);
  await writeAwsHome(authority.directory, KEYS);
  const origin = `https://127.0.0.1:${stores.addr.port}`;
  return { authority, origin, google, front, aws, entra, vault, proxy, application, files };
}

/** The same, running. */
export type IdentityWorld = Awaited<ReturnType<typeof openIdentityWorld>>;

async function writeFiles(
  { directory }: TestAuthority,
  google: GoogleFake,
  front: string,
  entra: EntraFake,
) {
  const write = async (name: string, content: unknown, mode = 0o600) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await Deno.writeTextFile(`${directory}/${name}`, text, { mode });
    return `${directory}/${name}`;
  };
  const subject = await write("subject-token", SUBJECT_TOKEN);
  const user = (token_uri: string) => ({ type: "authorized_user", ...USER, token_uri });
  const external = {
    ...{ type: "external_account", audience: POOL, credential_source: { file: subject } },
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${google.origin}/v1/token`,
  };
  const query = "api-version=2018-02-01&client_id=cli&resource=$6";
  const az = `#!/bin/sh
    curl -s -H metadata:true "${entra.metadataHost}/metadata/identity/oauth2/token?${query}" |
    sed 's/"access_token"/"accessToken"/; s/"expires_on":"\\([0-9]*\\)"/"expires_on":\\1/'`;
  await write("az", az, 0o755);
  return {
    subject,
    pod: await write("pod-token", POD_TOKEN),
    key: await write("key.json", google.key()),
    user: await write("user.json", user(`${google.origin}/token`)),
    farUser: await write("far_user.json", user(`${front}/token`)),
    external: await write("external.json", external),
  };
}

/** What the issuers saw since they were last asked, in order of the alphabet. */
export function takeSeen({ aws, google, entra, vault }: IdentityWorld): readonly string[] {
  const all = [aws, google, entra, vault].flatMap(({ seen }) => seen.splice(0));
  const named = (line: string) =>
    entra.tokens.reduce((text, token) => text.replace(token, "a token of Entra"), line);
  return all.map(named).sort();
}
