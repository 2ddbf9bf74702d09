/** Access tokens of Entra. */
import { AsyncLocalStorage } from "node:async_hooks";
import type {
  createHttpHeaders,
  HttpClient,
  PipelineRequest,
  PipelineResponse,
} from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { z } from "zod";
import { jsonOrNull } from "../answer_text.ts";
import { bodyOf } from "../request_body.ts";
import { clientAssertion } from "./client_assertion.ts";
import type { EntraAuth } from "./entra_auth.ts";
import { isBusyStatus, IssuerError } from "./issuer_error.ts";
import { fetchIssuer, type IssuerPlace } from "./issuer_fetch.ts";
import { JudgedCredential } from "./judged_credential.ts";
import { type Issued, type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";
import { readAgain, readStored } from "./stored_credential.ts";
import type { Clock } from "../../platform/clock.ts";

/** Tokens for `scope`, kept fresh. */
export function entraToken(
  auth: EntraAuth,
  scope: string,
  deps: RenewalDeps,
): JudgedCredential<string> {
  const issue = (signal: AbortSignal) => issueEntraToken(auth, scope, signal, deps.clock);
  const words = { what: "access token from Entra", hint: entraHint(auth) };
  return new JudgedCredential(new RenewedCredential("entra", issue, deps), words);
}

/**
 * Asks for one token, for who keeps it. The library is asked through a new object each time: it
 * keeps what it was given, and would hand out again a token that the service has refused.
 */
export async function issueEntraToken(
  auth: EntraAuth,
  scope: string,
  abortSignal: AbortSignal,
  clock: Clock,
): Promise<Issued<string>> {
  const soonMs = auth.method === "managed_identity" ? clock.wallMs() + SOON_MS : null;
  const answers: Answers = { soonMs, ...NOTHING_YET, expiresMs: null };
  try {
    const credential = await entraCredential(auth, clock);
    const token = await ASKING.run(answers, () => credential.getToken(scope, { abortSignal }));
    if (token === null) throw new Error("The issuer gave out no token");
    return { value: token.token, expiresMs: answers.expiresMs ?? token.expiresOnTimestamp };
  } catch (error) {
    // Of these the library tells less.
    if (answers.failure !== null) throw answers.failure;
    // The library wraps the same words again and again: once is enough.
    const said = (error instanceof Error ? error.message : String(error)).replace(UNSAID, "$1");
    throw new IssuerError(said, answers.lastStatus);
  }
}

/** What the library writes about an answer beside what is in it. */
const UNSAID = /Error\(s\): .*? - Timestamp: .*? - Description: (.*?)( - Correlation ID: .*)?$/s;

/** What was answered to one question. */
interface Answers {
  /** When the library is to believe that the token ends, if it would keep it; null: the truth. */
  readonly soonMs: number | null;
  /** Of the last answer; null where there was none. */
  lastStatus: number | null;
  /** What the last request came to where it was not answered, or the issuer was busy. */
  failure: IssuerError | null;
  /** When the token in it ends, in milliseconds since the epoch, where the library was not told. */
  expiresMs: number | null;
}

const NOTHING_YET = { lastStatus: null, failure: null };

/**
 * Whose question a request is part of. For managed identities the library sends the requests of
 * everybody in a process through the client that the first one gave it.
 */
const ASKING = new AsyncLocalStorage<Answers>();

/** Sends the requests of the library; takes note of answers. */
class WatchingClient implements HttpClient {
  readonly #headersOf: typeof createHttpHeaders;
  readonly #clock: Clock;

  constructor(headersOf: typeof createHttpHeaders, clock: Clock) {
    this.#headersOf = headersOf;
    this.#clock = clock;
  }

  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    // For who is not known, as when the library goes on with something by itself.
    const answers = ASKING.getStore() ?? { soonMs: null, ...NOTHING_YET, expiresMs: null };
    Object.assign(answers, NOTHING_YET);
    try {
      const place = answers.soonMs === null ? "elsewhere" : "this machine";
      const response = await this.#send(request, place);
      const { status } = response;
      answers.lastStatus = status;
      if (!isBusyStatus(status)) return unkept(response, answers);
      // The library would not ask again for a minute, for anybody in this process.
      throw new IssuerError(`the issuer answered ${status}`, status);
    } catch (error) {
      if (error instanceof IssuerError) answers.failure = error;
      throw error;
    }
  }

  async #send(request: PipelineRequest, place: IssuerPlace): Promise<PipelineResponse> {
    const { url, method, abortSignal } = request;
    const headers = request.headers.toJSON();
    // `fetch` decompresses what it asked for itself.
    delete headers["accept-encoding"];
    const signal = abortSignal instanceof AbortSignal ? abortSignal : new AbortController().signal;
    const sent = { method, headers, body: bodyOf(request.body), signal };
    const response = await fetchIssuer(url, sent, place, this.#clock);
    return {
      request,
      status: response.status,
      headers: this.#headersOf(Object.fromEntries(response.headers)),
      bodyAsText: await response.text(),
    };
  }
}

/**
 * `response` with a token that ends soon, as far as the library knows; `answers` are told the
 * truth. The library keeps tokens of managed identities for everybody in a process, and would give
 * one that was withdrawn out again until five minutes before its end.
 */
function unkept(response: PipelineResponse, answers: Answers): PipelineResponse {
  const given = TOKEN_OF_MACHINE.safeParse(jsonOrNull(response.bodyAsText ?? ""));
  if (answers.soonMs === null || !given.success) return response;
  answers.expiresMs = given.data.expires_on * 1_000;
  const soon = Math.floor(Math.min(answers.soonMs, answers.expiresMs) / 1_000);
  return { ...response, bodyAsText: JSON.stringify({ ...given.data, expires_on: String(soon) }) };
}

/** A token as a machine gives it out, with its end in seconds since the epoch. */
const TOKEN_OF_MACHINE = z.looseObject({
  access_token: z.string(),
  expires_on: z.union([z.string().regex(/^\d+$/), z.number()]).transform(Number),
});
/** Less than the five minutes before its end within which the library asks for another one. */
const SOON_MS = 60_000;

async function entraCredential(auth: EntraAuth, clock: Clock): Promise<TokenCredential> {
  // Loaded only here: keys and SAS need none of it.
  const [identity, { createHttpHeaders }] = await Promise.all([
    import("@azure/identity"),
    import("@azure/core-rest-pipeline"),
  ]);
  // Renewals are repeated by their owner, who knows how long the old token lasts.
  const options = {
    httpClient: new WatchingClient(createHttpHeaders, clock),
    retryOptions: { maxRetries: 0 },
  };
  switch (auth.method) {
    case "managed_identity": {
      const { clientId, resourceId } = auth;
      if (clientId !== null) {
        return new identity.ManagedIdentityCredential({ ...options, clientId });
      }
      if (resourceId === null) return new identity.ManagedIdentityCredential(options);
      return new identity.ManagedIdentityCredential({ ...options, resourceId });
    }
    case "service_principal": {
      const { tenantId, clientId, proof, authorityHost } = auth;
      const chosen = { ...options, ...authorityOptions(authorityHost) };
      if (proof.kind === "secret") {
        const secret = (await readAgain(proof.secret)).reveal();
        return new identity.ClientSecretCredential(tenantId, clientId, secret, chosen);
      }
      const host = authorityHost ?? identity.AzureAuthorityHosts.AzurePublicCloud;
      const application = {
        clientId,
        tokenEndpoint: `${host.replace(/\/+$/, "")}/${tenantId}/oauth2/v2.0/token`,
        pem: await readStored(proof.file),
        password: proof.password === null ? null : (await readAgain(proof.password)).reveal(),
      };
      const assertion = () => clientAssertion(application, clock.wallMs());
      return new identity.ClientAssertionCredential(tenantId, clientId, assertion, chosen);
    }
    case "workload_identity": {
      const { tenantId, clientId, tokenFile: tokenFilePath, authorityHost } = auth;
      const authority = authorityOptions(authorityHost);
      return new identity.WorkloadIdentityCredential({
        ...{ ...options, ...authority, tenantId, clientId, tokenFilePath },
      });
    }
    case "azure_cli":
      return auth.tenantId === null
        ? new identity.AzureCliCredential(CLI)
        : new identity.AzureCliCredential({ ...CLI, tenantId: auth.tenantId });
  }
}

/** The Azure CLI takes seconds to start. */
const CLI = { processTimeoutInMs: 25_000 };

/**
 * A configured authority is trusted as it is: otherwise the library asks the public cloud about
 * it, which private clouds and networks without a way out do not have.
 */
function authorityOptions(
  authorityHost: string | null,
): { authorityHost: string; disableInstanceDiscovery: boolean } | Record<never, never> {
  return authorityHost === null ? {} : { authorityHost, disableInstanceDiscovery: true };
}

/** What to look at when Entra gives `auth` no token. */
export function entraHint(auth: EntraAuth): string {
  switch (auth.method) {
    case "managed_identity": {
      const named = auth.clientId ?? auth.resourceId;
      return named === null
        ? "Run on an Azure machine with a managed identity, or set another auth of the backend"
        : `Check that identity "${named}" is assigned to this machine`;
    }
    case "service_principal":
      return auth.proof.kind === "secret"
        ? `Check tenant, client id and secret of application "${auth.clientId}"`
        : `Check tenant, client id and "${auth.proof.file}" of application "${auth.clientId}"`;
    case "workload_identity":
      return `Check tenant, client id and the token in "${auth.tokenFile}"`;
    case "azure_cli":
      return 'Run "az login" as the mounting user, or set another auth of the backend';
  }
}
