/** What is wrong with a configuration file, and where; the same for every kind of file. */
import { REDACTED } from "./secret.ts";

/** Keys from the root of the file to a value: names in mappings, positions in sequences. */
export type ConfigPath = readonly (string | number)[];

/** A place in the text; both numbers count from 1. */
export interface ConfigPosition {
  readonly line: number;
  readonly column: number;
}

/** One thing to correct. */
export interface ConfigProblem {
  readonly position: ConfigPosition;
  /** Dotted path, e.g. `backends[1].config.account`; `""` for the file as a whole. */
  readonly path: string;
  /** The value as written in the file; null when there is none to show. */
  readonly found: string | null;
  /** What is wrong or wanted, without a capital or a full stop. */
  readonly message: string;
}

/** `path` as people write it: `backends[1].config.account`. */
export function formatPath(path: ConfigPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[\w-]+$/.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** One line: `config.yaml:12:5: backends[1].timeout: "soon": wanted a duration such as "30s"`. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const { line, column } = problem.position;
  return [`${file}:${line}:${column}`, problem.path, problem.found, problem.message]
    .filter((part) => part !== null && part !== "")
    .join(": ");
}

/** Longest value quoted in a problem; more would bury what is wanted. */
const SHOWN_CHARACTERS_MAX = 60;

/** Keys that are expected to hold secrets, should somebody put one into the file. */
const SECRET_KEY = /(^|_)(key|secret|token|password|sas|sas_url|connection_string|credentials?)$/i;

/** Keys that name a variable or file holding a secret, where people paste the secret itself. */
const REFERENCE_KEY = /_(env|file)$/;
const REFERENCE = /^[\w./-]{1,64}$/;

/** Values that carry credentials wherever they stand: signed URLs, `user:password@`, key lists. */
const SECRET_VALUE = /[?&;]sig=|AccountKey=|SharedAccess|:\/\/[^/\s]*@/i;

/** `written` as it may be shown in a problem about the setting `key`: quoted, or `***`. */
export function showValue(key: string, written: string): string {
  const secret = SECRET_KEY.test(key) || SECRET_VALUE.test(written) ||
    (REFERENCE_KEY.test(key) && !REFERENCE.test(written));
  if (secret) return REDACTED;
  const characters = [...written];
  const short = characters.length <= SHOWN_CHARACTERS_MAX
    ? written
    : `${characters.slice(0, SHOWN_CHARACTERS_MAX).join("")}…`;
  return JSON.stringify(short);
}
