/** Looks for secrets in everything that somebody could see. */
import { Buffer } from "node:buffer";

/** One secret, and what a person calls it. */
export interface HuntedSecret {
  readonly name: string;
  readonly value: string;
}

/** The ways a secret may be written: as it is, escaped, in a URL or a form, or in base64. */
export function formsOf(value: string): ReadonlySet<string> {
  const bytes = Buffer.from(value);
  return new Set([
    value,
    encodeURIComponent(value),
    new URLSearchParams({ value }).toString().slice("value=".length),
    JSON.stringify(value).slice(1, -1),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ]);
}

/** Names of the `secrets` that are in `bytes`, each with the place `where`. */
export function secretsIn(
  where: string,
  bytes: Uint8Array,
  secrets: readonly HuntedSecret[],
): readonly string[] {
  // A text of single bytes is searched many times faster than the bytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return secrets.flatMap(({ name, value }) => {
    const forms = [...formsOf(value)].map((form) => Buffer.from(form).toString("latin1"));
    return forms.some((form) => text.includes(form)) ? [`${name} in ${where}`] : [];
  });
}

/** Every file below `directory` but not below `except`, with its bytes. */
export async function* filesBelow(
  directory: string,
  except: string,
): AsyncGenerator<readonly [path: string, bytes: Uint8Array]> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory && path !== except) yield* filesBelow(path, except);
    else if (isFile) yield [path, await Deno.readFile(path)];
  }
}
