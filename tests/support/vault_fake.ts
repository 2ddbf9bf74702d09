/** Stands in for Azure Key Vault: gives out secrets for tokens that an issuer gave out for it. */
import type { EntraFake } from "./entra_fake.ts";

const RESOURCE = "https://vault.azure.net";

/** A running vault; disposing ends it. */
export class VaultFake implements AsyncDisposable {
  /** Values of secrets, by name; may be changed at any time. */
  readonly secrets = new Map<string, string>();
  /** Names of secrets that were asked for with a good token. */
  readonly seen: string[] = [];
  readonly #server;

  constructor(entra: EntraFake, certificate: { readonly cert: string; readonly key: string }) {
    const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve({ ...loopback, ...certificate }, (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
      if (entra.judge(token, RESOURCE) !== "good") {
        return refused(401, "Unauthorized", "AKV10000: Request is missing a Bearer token");
      }
      if (searchParams.get("api-version") !== "7.4") return refused(400, "BadParameter", "");
      const name = pathname.replace("/secrets/", "");
      this.seen.push(name);
      const value = this.secrets.get(name);
      return value === undefined
        ? refused(404, "SecretNotFound", `A secret with name ${name} was not found`)
        : Response.json({ value, id: `https://vault/secrets/${name}`, attributes: {} });
    });
  }

  /** As `vault_url` takes it. */
  get url(): string {
    return `https://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function refused(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
