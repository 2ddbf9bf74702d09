/** Files of credentials, as Google and its tools write them. */
import { z } from "zod";
import { IssuerError } from "../identity/issuer_error.ts";
import { isPrivateWay } from "../identity/token_url.ts";
import { Secret } from "../../platform/secret.ts";

/** The key of a service account. */
export interface ServiceAccountKey {
  readonly type: "service_account";
  readonly email: string;
  /** Which of its keys this is; null: the file does not say. */
  readonly keyId: string | null;
  /** In PEM. */
  readonly privateKey: Secret;
  /** Where an assertion that is signed with it is exchanged for a token. */
  readonly tokenUri: string;
}

/** What `gcloud auth application-default login` leaves behind. */
export interface UserKey {
  readonly type: "authorized_user";
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly refreshToken: Secret;
  readonly tokenUri: string;
}

/** A file of credentials; of `other` ones the library of Google makes sense. */
export type KeyFile =
  | ServiceAccountKey
  | UserKey
  | { readonly type: "other"; readonly text: Secret };

const TOKEN_URI = z.string().prefault("https://oauth2.googleapis.com/token");
const TYPED = z.object({ type: z.string() });
const SERVICE_ACCOUNT = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: TOKEN_URI,
});
const AUTHORIZED_USER = z.object({
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  refresh_token: z.string().min(1),
  token_uri: TOKEN_URI,
});

/**
 * What `text` of the file at `path` is.
 *
 * @throws {IssuerError} when it is no file of credentials; quotes nothing of it.
 */
export function parseKeyFile(path: string, text: string): KeyFile {
  const json = parseJson(path, text);
  const typed = TYPED.safeParse(json);
  if (!typed.success) throw problem(path, "is no file of credentials: it has no type");
  switch (typed.data.type) {
    case "service_account": {
      const key = check(path, json, SERVICE_ACCOUNT);
      return {
        type: "service_account",
        email: key.client_email,
        keyId: key.private_key_id ?? null,
        privateKey: new Secret(key.private_key),
        tokenUri: key.token_uri,
      };
    }
    case "authorized_user": {
      const key = check(path, json, AUTHORIZED_USER);
      return {
        type: "authorized_user",
        clientId: key.client_id,
        clientSecret: new Secret(key.client_secret),
        refreshToken: new Secret(key.refresh_token),
        tokenUri: key.token_uri,
      };
    }
    default:
      return { type: "other", text: new Secret(text) };
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is secret.
    throw problem(path, "is no JSON");
  }
}

function check<T extends { readonly token_uri: string }>(
  path: string,
  json: unknown,
  schema: z.ZodType<T>,
): T {
  const result = schema.safeParse(json);
  if (!result.success) {
    const names = new Set(result.error.issues.map((issue) => issue.path.join(".")));
    throw problem(path, `lacks ${[...names].join(", ")}`);
  }
  if (isPrivateWay(result.data.token_uri)) return result.data;
  throw problem(path, "has a token_uri that is no https URL");
}

function problem(path: string, what: string): IssuerError {
  return new IssuerError(`the file "${path}" ${what}`, null);
}
