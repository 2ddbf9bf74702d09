/** The identity of this machine, as the demo gives it one: a metadata endpoint on loopback. */
import { z } from "zod";
import { EntraFake } from "../../tests/support/entra_fake.ts";
import type { TestAuthority } from "../../tests/support/test_authority.ts";

/** How long a token of it lives, as Entra's do at least. */
const TOKEN_MS = 60 * 60_000;
const TOKEN = z.object({ access_token: z.string() });

/** The endpoint; disposing ends it. */
export class MachineIdentity implements AsyncDisposable {
  readonly #issuer: EntraFake;

  private constructor(issuer: EntraFake) {
    this.#issuer = issuer;
  }

  static async start(authority: TestAuthority): Promise<MachineIdentity> {
    const certificate = await Deno.readTextFile(authority.certificateFile);
    const key = await Deno.readTextFile(authority.keyFile);
    const settings = { lifetimeMs: TOKEN_MS, clientSecret: "", applicationKey: null };
    return new MachineIdentity(new EntraFake({ certificate, key, ...settings }));
  }

  /** Where the mount asks instead of 169.254.169.254, as the variable of Azure's library. */
  get env(): Readonly<Record<string, string>> {
    return { AZURE_POD_IDENTITY_AUTHORITY_HOST: this.#issuer.metadataHost };
  }

  /** Tokens given out so far. */
  get tokensGiven(): number {
    return this.#issuer.seen.length;
  }

  /** A token, asked for as everybody does. */
  async token(signal: AbortSignal): Promise<string> {
    const url = `${this.#issuer.metadataHost}/metadata/identity/oauth2/token` +
      "?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com";
    const answer = await fetch(url, { headers: { metadata: "true" }, signal });
    return TOKEN.parse(await answer.json()).access_token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#issuer[Symbol.asyncDispose]();
  }
}
