/** Keys of an S3 store that are kept as a secret in Azure Key Vault. */
import type { AwsCredentialIdentity } from "@smithy/types";
import { z } from "zod";
import type { EntraAuth } from "./entra_auth.ts";
import { entraToken } from "./entra_token.ts";
import { IssuerError } from "./issuer_error.ts";
import { fetchIssuer } from "./issuer_fetch.ts";
import type { JudgedCredential } from "./judged_credential.ts";
import { type Issued, type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";
import { firstLine, jsonOrNull } from "../answer_text.ts";
import type { Clock } from "../../platform/clock.ts";

/** How long a secret that was replaced in the vault goes on being used, while it is accepted. */
const FETCH_AGAIN_MS = 30 * 60_000;
/** https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret */
const API_VERSION = "7.4";
/** The public cloud's; elsewhere it is what follows the vault in its host name. */
const RESOURCE = "https://vault.azure.net";

/** A secret of a vault, and who asks for it. */
export interface VaultSecret {
  /** `https://NAME.vault.azure.net`. */
  readonly vaultUrl: string;
  readonly secretName: string;
  readonly identity: EntraAuth;
}

const ANSWER = z.object({ value: z.string() });
const KEYS = z.object({ access_key: z.string().min(1), secret_key: z.string().min(1) });
const REFUSAL = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The keys in `secret`, asked for again every half an hour. */
export function vaultCredential(
  secret: VaultSecret,
  deps: RenewalDeps,
): RenewedCredential<AwsCredentialIdentity> {
  return vaultKeys(secret, entraToken(secret.identity, vaultScope(secret.vaultUrl), deps), deps);
}

/** The same for who shows `token`, which is disposed with it. */
export function vaultKeys(
  secret: VaultSecret,
  token: JudgedCredential<string>,
  deps: RenewalDeps,
): RenewedCredential<AwsCredentialIdentity> {
  const issue = async (signal: AbortSignal): Promise<Issued<AwsCredentialIdentity>> => ({
    value: await fetchKeys(secret, token, deps.clock, signal),
    expiresMs: Infinity,
    renewAfterMs: FETCH_AGAIN_MS,
  });
  return new RenewedCredential("keyvault", issue, deps, token);
}

/** What to look at when there are no keys. */
export function vaultHint({ vaultUrl, secretName }: VaultSecret): string {
  return `Check secret "${secretName}" of ${vaultUrl}, and that the identity may read it ` +
    '(role "Key Vault Secrets User")';
}

/** What tokens for the vault at `vaultUrl` are for, in whichever cloud it is. */
export function vaultScope(vaultUrl: string): string {
  const cloud = /^[^.]+\.(vault\.[a-z0-9.]+)$/.exec(new URL(vaultUrl).hostname)?.[1];
  return `${cloud === undefined ? RESOURCE : `https://${cloud}`}/.default`;
}

async function fetchKeys(
  secret: VaultSecret,
  token: JudgedCredential<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<AwsCredentialIdentity> {
  const first = await token.get(signal);
  const answer = await ask(secret, first, clock, signal);
  const another = answer.status === 401 ? await token.another(first, signal) : null;
  return keysIn(another === null ? answer : await ask(secret, another, clock, signal), secret);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(
  { vaultUrl, secretName }: VaultSecret,
  token: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Answer> {
  const url = `${vaultUrl}/secrets/${encodeURIComponent(secretName)}?api-version=${API_VERSION}`;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetchIssuer(url, { headers, signal }, "elsewhere", clock);
  return { status: response.status, text: await response.text() };
}

function keysIn({ status, text }: Answer, { secretName }: VaultSecret): AwsCredentialIdentity {
  if (status !== 200) {
    const refusal = REFUSAL.safeParse(jsonOrNull(text)).data?.error;
    const said = refusal === undefined ? "" : ` ${refusal.code} (${firstLine(refusal.message)})`;
    throw new IssuerError(`the vault answered ${status}${said}`, status);
  }
  const answer = ANSWER.safeParse(jsonOrNull(text));
  // An answer that makes no sense is no refusal.
  if (!answer.success) throw new IssuerError("the answer is none of a vault", 502);
  const keys = KEYS.safeParse(jsonOrNull(answer.data.value));
  if (keys.success) {
    return { accessKeyId: keys.data.access_key, secretAccessKey: keys.data.secret_key };
  }
  // Nothing of the value may show: it is a secret, if not the one that is wanted.
  throw new IssuerError(
    `secret "${secretName}" is not what is wanted: {"access_key": "…", "secret_key": "…"}`,
    MALFORMED,
  );
}

/** As a refusal: asking again gives the same, until somebody writes another one. */
const MALFORMED = 422;
