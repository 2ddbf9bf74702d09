/**
 * Stands in for the two issuers of Entra tokens: the metadata service of a machine (plain http) and
 * the authority of a tenant (https). It gives out tokens that Azurite accepts.
 */

/** A running fake; disposing ends both servers. */
export interface EntraFake extends AsyncDisposable {
  /** As AZURE_POD_IDENTITY_AUTHORITY_HOST takes it. */
  readonly metadataHost: string;
  /** As an authority host of credentials. */
  readonly authorityHost: string;
  readonly tenantId: string;
  /** What was asked for: `metadata CLIENT` or `authority GRANT CLIENT SECRET-OR-ASSERTION`. */
  readonly seen: readonly string[];
}

const LIFETIME_SECONDS = 3_600;

/** Starts both on free ports. */
export function startEntraFake(certificate: string, key: string, nowMs: number): EntraFake {
  const seen: string[] = [];
  const tenantId = "11111111-1111-1111-1111-111111111111";
  const expires = Math.floor(nowMs / 1000) + LIFETIME_SECONDS;
  const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const metadata = Deno.serve(loopback, (request) => {
    const query = new URL(request.url).searchParams;
    seen.push(`metadata ${query.get("client_id") ?? "system"}`);
    return Response.json({
      access_token: unsignedToken(tenantId, expires),
      expires_on: String(expires),
      expires_in: String(LIFETIME_SECONDS),
      resource: query.get("resource"),
      token_type: "Bearer",
    });
  });
  const authority = Deno.serve({ ...loopback, cert: certificate, key }, async (request) => {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/.well-known/openid-configuration")) {
      const origin = `${url.origin}/${tenantId}`;
      return Response.json({
        issuer: `${origin}/v2.0`,
        authorization_endpoint: `${origin}/oauth2/v2.0/authorize`,
        token_endpoint: `${origin}/oauth2/v2.0/token`,
        jwks_uri: `${origin}/discovery/v2.0/keys`,
      });
    }
    const form = new URLSearchParams(await request.text());
    const proof = form.get("client_secret") ?? form.get("client_assertion");
    seen.push(`authority ${form.get("grant_type")} ${form.get("client_id")} ${proof}`);
    return Response.json({
      access_token: unsignedToken(tenantId, expires),
      expires_in: LIFETIME_SECONDS,
      token_type: "Bearer",
    });
  });
  return {
    metadataHost: `http://127.0.0.1:${metadata.addr.port}`,
    authorityHost: `https://127.0.0.1:${authority.addr.port}`,
    tenantId,
    seen,
    async [Symbol.asyncDispose]() {
      await Promise.all([metadata.shutdown(), authority.shutdown()]);
    },
  };
}

function unsignedToken(tenantId: string, expires: number): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
  const payload = {
    aud: "https://storage.azure.com",
    iss: `https://sts.windows-ppe.net/${tenantId}/`,
    nbf: expires - 2 * LIFETIME_SECONDS,
    iat: expires - 2 * LIFETIME_SECONDS,
    exp: expires,
  };
  return `${part({ alg: "none", typ: "JWT" })}.${part(payload)}.`;
}
