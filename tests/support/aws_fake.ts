/** Issuers of AWS credentials on loopback: STS, instance metadata (IMDSv2), a container's agent. */

/** What they are asked to give out. */
export interface IssuedKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Running issuers; disposing ends them. */
export interface AwsFake extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` of all of them. */
  readonly origin: string;
  /** Every credential given out: by whom, and for what proof. */
  readonly seen: string[];
}

/** What the agent of a container, and the metadata service, want to see. */
export const CONTAINER_TOKEN = "container-token";
const METADATA_TOKEN = "metadata-token";
/** Empty, because versitygw has no sessions and refuses every token of one. */
const SESSION_TOKEN = "";
/** A role of the instance. */
const ROLE = "reader";

/** Starts them; they give out `keys` until `expiresMs`, and nothing without the right proof. */
export function startAwsFake(keys: IssuedKeys, expiresMs: number): AwsFake {
  const seen: string[] = [];
  const expiration = new Date(expiresMs).toISOString();
  const refused = () => new Response("No such credential", { status: 403 });
  const document = () =>
    Response.json({
      Code: "Success",
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      Token: SESSION_TOKEN,
      Expiration: expiration,
    });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "POST /": {
        const form = new URLSearchParams(await request.text());
        if (form.get("Action") !== "AssumeRoleWithWebIdentity") return refused();
        const proof = ["RoleArn", "RoleSessionName", "WebIdentityToken"];
        seen.push(`sts ${proof.map((name) => form.get(name)).join(" ")}`);
        return new Response(assumedRole(keys, expiration));
      }
      case "PUT /latest/api/token":
        return new Response(METADATA_TOKEN);
      case "GET /latest/meta-data/iam/security-credentials/":
        return new Response(ROLE);
      case `GET /latest/meta-data/iam/security-credentials/${ROLE}`:
        if (request.headers.get("x-aws-ec2-metadata-token") !== METADATA_TOKEN) return refused();
        seen.push("metadata");
        return document();
      case "GET /container":
        if (request.headers.get("authorization") !== CONTAINER_TOKEN) return refused();
        seen.push("container");
        return document();
      default:
        return refused();
    }
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    seen,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function assumedRole({ accessKeyId, secretAccessKey }: IssuedKeys, expiration: string): string {
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId>
      <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${SESSION_TOKEN}</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials></AssumeRoleWithWebIdentityResult>
  </AssumeRoleWithWebIdentityResponse>`;
}
