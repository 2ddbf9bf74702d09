/**
 * A real S3 server with a real STS: minio, which takes tokens of one OIDC issuer and checks their
 * signatures. Built once from its source by Go, which takes minutes.
 */
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { OAuth2Server } from "oauth2-mock-server";
import { freePort } from "./free_port.ts";
import { installGoProgram } from "./go_program.ts";
import { eventually } from "./eventually.ts";
import { seededContent } from "./seeded_content.ts";

const PROGRAM = {
  name: "minio",
  version: "v0.0.0-20260212201848-7aac2a2c5b7c",
  packagePath: "github.com/minio/minio",
};
const AUDIENCE = "wd-minio";
const ROOT = { accessKeyId: "rootkey", secretAccessKey: "rootsecret" };

/** A running server and its issuer; disposing ends both and deletes all. */
export interface Minio extends AsyncDisposable {
  /** URL of the service and of its STS. */
  readonly endpoint: string;
  /** A token of the issuer, who signed it. */
  token(): Promise<string>;
  /** Makes `bucket` with objects `names`. */
  seed(bucket: string, names: readonly string[]): Promise<void>;
}

/** Starts the issuer, then the server, which asks it for its keys. */
export async function startMinioWithIssuer(): Promise<Minio> {
  await using owned = new AsyncDisposableStack();
  const program = await installGoProgram(PROGRAM, new AbortController().signal);
  const issuer = new OAuth2Server();
  await issuer.issuer.keys.generate("RS256");
  await issuer.start(0, "127.0.0.1");
  owned.defer(() => issuer.stop());
  issuer.service.on("beforeTokenSigning", (token: { payload: Record<string, unknown> }) => {
    Object.assign(token.payload, { aud: AUDIENCE, sub: "vm-1", policy: "readwrite" });
  });
  const origin = issuer.issuer.url ?? "";
  const root = await Deno.makeTempDir({ prefix: "warpdrive-minio-" });
  owned.defer(() => Deno.remove(root, { recursive: true }));
  const port = freePort();
  const child = new Deno.Command(program, {
    args: ["server", "--quiet", "--address", `127.0.0.1:${port}`, root],
    env: {
      MINIO_ROOT_USER: ROOT.accessKeyId,
      MINIO_ROOT_PASSWORD: ROOT.secretAccessKey,
      MINIO_BROWSER: "off",
      MINIO_IDENTITY_OPENID_CONFIG_URL: `${origin}/.well-known/openid-configuration`,
      MINIO_IDENTITY_OPENID_CLIENT_ID: AUDIENCE,
      MINIO_IDENTITY_OPENID_CLAIM_NAME: "policy",
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  owned.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await eventually("minio is ready", async () => {
    try {
      const answer = await fetch(`${endpoint}/minio/health/ready`);
      await answer.body?.cancel();
      return answer.status === 200;
    } catch {
      // Nothing listens yet.
      return false;
    }
  });
  const client = new S3Client({
    ...{ endpoint, region: "us-east-1", forcePathStyle: true, credentials: ROOT },
  });
  owned.defer(() => client.destroy());
  const servers = owned.move();
  return {
    endpoint,
    token: () => tokenOf(origin),
    async seed(bucket, names) {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      for (const Key of names) {
        const Body = seededContent(Key);
        await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
      }
    },
    [Symbol.asyncDispose]: () => servers.disposeAsync(),
  };
}

async function tokenOf(origin: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: "client_credentials", scope: "read" });
  const answer: unknown = await (await fetch(`${origin}/token`, { method: "POST", body })).json();
  const hasToken = typeof answer === "object" && answer !== null && "access_token" in answer;
  if (hasToken && typeof answer.access_token === "string") return answer.access_token;
  throw new Error("The issuer gave out no token");
}
