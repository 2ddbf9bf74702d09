/** Prefixes of keys, which stand for directories. */

/** A prefix without leading and trailing slashes, or null when no directory can have that name. */
export function parsePrefix(written: string): string | null {
  const prefix = written.replace(/^\/+|\/+$/g, "");
  const segments = prefix.split("/");
  const wrong = segments.some((name) => name === "" || name === "." || name === "..");
  return prefix !== "" && wrong ? null : prefix;
}
