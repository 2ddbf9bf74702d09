/**
 * Tokens of the machine or pod:
 * https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
import { fetchIssuer } from "../identity/issuer_fetch.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { tokenIn } from "./oauth_token.ts";
import type { Clock } from "../../platform/clock.ts";

const PATH = "/computeMetadata/v1/instance/service-accounts/default/token";

/** The token that the metadata server at `host` gives out, good for what the machine may do. */
export async function metadataToken(
  host: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const begunMs = clock.wallMs();
  const asked = { headers: { "metadata-flavor": "Google" }, signal };
  const response = await fetchIssuer(`http://${host}${PATH}`, asked, "this machine", clock);
  return await tokenIn(response, begunMs);
}
