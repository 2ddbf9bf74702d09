/** Tokens from issuers that speak OAuth, as all of Google's do (RFC 6749, RFC 8693). */
import { z } from "zod";
import { jsonOrNull } from "../answer_text.ts";
import { IssuerError } from "../identity/issuer_error.ts";
import { fetchIssuer } from "../identity/issuer_fetch.ts";
import type { Issued } from "../identity/renewed_credential.ts";
import { sayingOfIssuer } from "./issuer_answer.ts";
import type { Clock } from "../../platform/clock.ts";

const TOKEN = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** The token that the issuer at `url` gives for `grant`. */
export async function grantedToken(
  url: string,
  grant: Readonly<Record<string, string>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const begunMs = clock.wallMs();
  const body = new URLSearchParams(grant);
  const response = await fetchIssuer(url, { method: "POST", body, signal }, "elsewhere", clock);
  return await tokenIn(response, begunMs);
}

/** The token in `response` to a question of `begunMs`, in milliseconds since the epoch. */
export async function tokenIn(response: Response, begunMs: number): Promise<Issued<string>> {
  const { access_token: value, expires_in: seconds } = await answerOf(response, TOKEN);
  return { value, expiresMs: begunMs + seconds * 1000 };
}

/** What `response` of an issuer says. */
export async function answerOf<T>(response: Response, schema: z.ZodType<T>): Promise<T> {
  const { status } = response;
  const json = jsonOrNull(await response.text());
  const answer = schema.safeParse(json);
  if (status === 200 && answer.success) return answer.data;
  // An answer that makes no sense is no refusal.
  throw new IssuerError(sayingOfIssuer(status, json), status === 200 ? 502 : status);
}
