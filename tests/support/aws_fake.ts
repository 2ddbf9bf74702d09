/**
 * Issuers of AWS credentials on loopback: STS, instance metadata (IMDSv2), a container's agent, and
 * those of who logs in: single sign-on, and the console.
 */

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
/** By which a login is renewed. */
export const REFRESH_TOKEN = "refresh-token";
/** What it is renewed to. */
const LOGIN_TOKEN = "login-token";
/** Empty, because versitygw has no sessions and refuses every token of one. */
const SESSION_TOKEN = "";
/** Of a login, which always has one. */
const LOGIN_SESSION_TOKEN = "login-session-token";
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
        const action = form.get("Action") ?? "";
        if (!["AssumeRole", "AssumeRoleWithWebIdentity"].includes(action)) return refused();
        const proof = ["RoleArn", "RoleSessionName", "WebIdentityToken"];
        seen.push(["sts", ...proof.flatMap((name) => form.get(name) ?? [])].join(" "));
        return new Response(assumedRole(action, keys, expiration));
      }
      case "POST /token":
        if ((await request.json()).refreshToken !== REFRESH_TOKEN) return refused();
        seen.push("sso-oidc");
        return Response.json({ accessToken: LOGIN_TOKEN, expiresIn: 3_600 });
      case "GET /federation/credentials": {
        if (request.headers.get("x-amz-sso_bearer_token") !== LOGIN_TOKEN) return refused();
        seen.push("sso");
        const roleCredentials = {
          ...keys,
          sessionToken: LOGIN_SESSION_TOKEN,
          expiration: expiresMs,
        };
        return Response.json({ roleCredentials });
      }
      case "POST /v1/token": {
        if ((await request.json()).refreshToken !== REFRESH_TOKEN) return refused();
        seen.push("signin");
        const accessToken = { ...keys, sessionToken: LOGIN_SESSION_TOKEN };
        return Response.json({ accessToken, expiresIn: 900, refreshToken: REFRESH_TOKEN });
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

function assumedRole(
  action: string,
  { accessKeyId, secretAccessKey }: IssuedKeys,
  expiration: string,
): string {
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <${action}Result><Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId>
      <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${SESSION_TOKEN}</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials></${action}Result>
  </${action}Response>`;
}
