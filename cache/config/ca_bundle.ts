/** Certificates that a backend trusts besides those of the system. */
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";

/** The text of `file`, null where none is named; undefined is reported at `path`. */
export function readCertificates(
  reader: ConfigReader,
  path: ConfigPath,
  file: string | undefined,
): string | null | undefined {
  if (file === undefined) return null;
  try {
    const text = reader.inputs.readTextFile(file);
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
    reader.report(path, "the file holds no certificate in PEM");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reader.report(path, `the file cannot be read: ${reason}`);
  }
  return undefined;
}
