/** Access tokens of Entra. */
import type { TokenCredential } from "@azure/identity";
import { type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";

/** Tokens of `credential` for `scope`, kept fresh. */
export function entraToken(
  credential: TokenCredential,
  scope: string,
  deps: RenewalDeps,
): RenewedCredential<string> {
  return new RenewedCredential("entra", async (abortSignal) => {
    const token = await credential.getToken(scope, { abortSignal });
    if (token === null) throw new Error("The issuer gave out no token");
    return { value: token.token, expiresMs: token.expiresOnTimestamp };
  }, deps);
}
