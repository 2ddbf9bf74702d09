/** What issuers of Google's tokens say when they give out none. */
import { z } from "zod";
import { firstLine } from "../answer_text.ts";
import { redactUrls } from "../broken_connection.ts";
import { IssuerError } from "../identity/issuer_error.ts";

/** OAuth (RFC 6749, section 5.2), which the token exchange follows too. */
const OAUTH_ERROR = z.object({ error: z.string(), error_description: z.string().optional() });
/** Every other API of Google. */
const API_ERROR = z.object({
  error: z.object({ status: z.string().optional(), message: z.string().prefault("") }),
});

/** The words in `body`, the JSON with which an issuer answered `status`. */
export function sayingOfIssuer(status: number, body: unknown): string {
  const answered = `the issuer answered ${status}`;
  const oauth = OAUTH_ERROR.safeParse(body);
  if (oauth.success) {
    const { error, error_description: description } = oauth.data;
    return `${answered} ${error}${description === undefined ? "" : `: ${firstLine(description)}`}`;
  }
  const api = API_ERROR.safeParse(body);
  if (!api.success) return answered;
  const { status: code, message } = api.data.error;
  return `${answered}${code === undefined ? "" : ` ${code}`}: ${firstLine(message)}`;
}

/** An error of the library of Google, of which only these parts are no secrets. */
const LIBRARY_ERROR = z.object({
  message: z.string(),
  code: z.union([z.string(), z.number()]).optional(),
  response: z.object({ status: z.number(), data: z.unknown() }).optional(),
});

/** What `error`, thrown by the library of Google, means; nothing of its requests is in it. */
export function libraryFailure(error: unknown): IssuerError {
  if (error instanceof IssuerError) return error;
  const known = LIBRARY_ERROR.safeParse(error);
  if (!known.success) return new IssuerError("the library failed", null);
  const { message, code, response } = known.data;
  if (response !== undefined) {
    return new IssuerError(sayingOfIssuer(response.status, response.data), response.status);
  }
  const what = typeof code === "string" && !message.includes(code) ? `${code}: ` : "";
  // Without its cause and its own fields: they hold the request, which proves who we are.
  return new IssuerError(redactUrls(what + firstLine(message)), null);
}
