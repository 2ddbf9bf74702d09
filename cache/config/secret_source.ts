/** Secrets named by a configuration file: in an environment variable, or in a file of their own. */
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import { Secret } from "../platform/secret.ts";
import { matching } from "../platform/setting.ts";

/** The name of an environment variable. */
export function variableName() {
  return matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable");
}

/** The text of variable `name`, without surrounding white space; null is reported at `path`. */
export function readVariable(reader: ConfigReader, path: ConfigPath, name: string): string | null {
  const value = reader.inputs.env.get(name);
  const text = value?.trim() ?? "";
  if (text !== "") return text;
  reader.report(
    path,
    `environment variable ${name} is ${value === undefined ? "not set" : "empty"}`,
  );
  return null;
}

/** The secret in variable `name`; null is reported at `path`. */
export function secretInVariable(
  reader: ConfigReader,
  path: ConfigPath,
  name: string,
): Secret | null {
  const text = readVariable(reader, path, name);
  reader.inputs.onSecretVariable?.(name);
  return text === null ? null : new Secret(text);
}

/** The secret in the file `name`, without surrounding white space; null is reported at `path`. */
export function secretInFile(reader: ConfigReader, path: ConfigPath, name: string): Secret | null {
  let text: string;
  try {
    text = reader.inputs.readTextFile(name).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reader.report(path, `the file cannot be read: ${reason}`);
    return null;
  }
  if (text !== "") return new Secret(text, name);
  reader.report(path, "the file is empty");
  return null;
}
