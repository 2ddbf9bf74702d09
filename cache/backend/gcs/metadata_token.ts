/**
 * Tokens of the machine or pod:
 * https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { AbortScope } from "../abort_scope.ts";
import { IssuerError } from "../identity/issuer_error.ts";
import { fetchIssuer } from "../identity/issuer_fetch.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { tokenIn } from "./oauth_token.ts";
import type { Clock } from "../../platform/clock.ts";

const PATH = "/computeMetadata/v1/instance/service-accounts/default/token";
/** The metadata server is on this machine, or there is none. */
const METADATA_MS_MAX = 5_000;

/** The token that the metadata server at `host` gives out, good for what the machine may do. */
export async function metadataToken(
  host: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  using scope = new AbortScope(signal);
  const silence = clock.sleep(METADATA_MS_MAX, scope.signal).then(
    () => scope.abort(new IssuerError("TimeoutError: no metadata server answers", null)),
    () => {},
  );
  try {
    const begunMs = clock.wallMs();
    const asked = { headers: { "metadata-flavor": "Google" }, signal: scope.signal };
    return await tokenIn(
      await fetchIssuer(`http://${host}${PATH}`, asked, "this machine"),
      begunMs,
    );
  } finally {
    scope.abort(new Error("The request is over"));
    await silence;
  }
}
