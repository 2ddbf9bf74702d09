/** Texts of answers, of which nobody knows what they are. */

/** What a store or an issuer may say in a message of ours. */
const LINE_LENGTH_MAX = 500;

/** `text` as JSON; null where it is none, which is for the caller to know. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The first line of `text`, of bounded length: the rest is advice and traces for developers. */
export function firstLine(text: string): string {
  return (text.trim().split("\n")[0] ?? "").trim().slice(0, LINE_LENGTH_MAX);
}
