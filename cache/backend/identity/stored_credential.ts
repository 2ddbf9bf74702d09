/** Secrets in files and variables: files are read again, so that a new secret needs no remount. */
import { IssuerError } from "./issuer_error.ts";
import { type RenewalDeps, RenewedCredential } from "./renewed_credential.ts";
import { Secret } from "../../platform/secret.ts";

/** How long a secret that was replaced in its file goes on being used, while it is accepted. */
const READ_AGAIN_MS = 10_000;

/**
 * `secret` as its file says now, or as it is where it is in none.
 *
 * @throws {IssuerError} when there is no secret in the file.
 */
export async function readAgain(secret: Secret): Promise<Secret> {
  const { file } = secret;
  if (file === null) return secret;
  const text = await readStored(file);
  return text === secret.reveal() ? secret : new Secret(text, file);
}

/**
 * The text in `file`, without surrounding white space.
 *
 * @throws {IssuerError} when there is none.
 */
export async function readStored(file: string): Promise<string> {
  let text: string;
  try {
    text = (await Deno.readTextFile(file)).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new IssuerError(`"${file}" cannot be read: ${reason}`, null, { cause: error });
  }
  if (text === "") throw new IssuerError(`"${file}" is empty`, null);
  return text;
}

/** What is made of secrets, and when it ends in milliseconds since the epoch; Infinity: never. */
export interface Made<T> {
  readonly value: T;
  readonly expiresMs: number;
}

/**
 * What `make` makes of `secrets`, each as it is now. A file that cannot be read, or from which
 * nothing can be made, leaves what there was. Counted are changes, not looks.
 */
export function storedCredential<T>(
  secrets: readonly Secret[],
  make: (secrets: readonly Secret[]) => Made<T>,
  deps: RenewalDeps,
): RenewedCredential<T> {
  let known = secrets;
  let made: Made<T> | null = null;
  const count = (status: "success" | "failure") => deps.onRenewal(status, "static");
  const issue = async () => {
    try {
      const now = await Promise.all(known.map(readAgain));
      if (made === null || now.some((secret, index) => secret !== known[index])) {
        made = make(now);
        known = now;
        count("success");
      }
    } catch (error) {
      count("failure");
      if (made === null) throw error;
    }
    const again = secrets.some(({ file }) => file !== null) ? { renewAfterMs: READ_AGAIN_MS } : {};
    return { ...made, ...again };
  };
  return new RenewedCredential("static", issue, { ...deps, onRenewal: () => {} });
}
