/**
 * Kinds of settings as zod schemas over the strings of a configuration file. A default is given in
 * the words a person would write, by `.prefault("60s")`, and is what the documentation shows.
 *
 * The message of a schema says what is wanted, as the end of `timeout: "soon": wanted …`.
 */
import { normalize } from "node:path/posix";
import { z } from "zod";
import { parseBytes, parseDurationMs } from "./units.ts";

/** A setting whose text `parse` turns into a value, or null when it is not what is `wanted`. */
export function setting<T>(wanted: string, parse: (text: string) => T | null) {
  const message = `wanted ${wanted}`;
  return z.string({ error: message }).transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

/** Text that is not empty. */
export function text(wanted: string) {
  return setting(wanted, (written) => written === "" ? null : written);
}

/** Text of the form `pattern`. */
export function matching(pattern: RegExp, wanted: string) {
  return setting(wanted, (written) => pattern.test(written) ? written : null);
}

/** `true` or `false`. */
export function flag() {
  return setting("true or false", (written) => {
    const lower = written.toLowerCase();
    return lower === "true" ? true : lower === "false" ? false : null;
  });
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number) {
  return setting(`a whole number from ${min} to ${max}`, (written) => {
    const value = /^\d{1,15}$/.test(written) ? Number(written) : NaN;
    return value >= min && value <= max ? value : null;
  });
}

/** A number from 0 to 1. */
export function ratio() {
  return setting("a number from 0 to 1", (written) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(written) ? Number(written) : NaN;
    return value >= 0 && value <= 1 ? value : null;
  });
}

/** A size in bytes, at least `minBytes`. */
export function size(minBytes: number, wanted: string) {
  return setting(wanted, (written) => {
    const bytes = parseBytes(written);
    return bytes !== null && bytes >= minBytes ? bytes : null;
  });
}

/** A duration, at least `minMs`; result in milliseconds. */
export function duration(minMs: number, wanted = 'a duration such as "30s", "5m" or "1h"') {
  return setting(wanted, (written) => {
    const ms = parseDurationMs(written);
    return ms !== null && ms >= minMs ? ms : null;
  });
}

/** Permission bits in octal, as `chmod` takes them. */
export function permissions() {
  return setting('permission bits in octal, such as "0444"', (written) => {
    return /^(0o?)?[0-7]{3}$/.test(written) ? parseInt(written.slice(-3), 8) : null;
  });
}

/** An absolute path; without `.`, `..`, doubled or trailing slashes in the result. */
export function absolutePath() {
  return setting("an absolute path", (written) => {
    if (!written.startsWith("/") || written.includes("\0")) return null;
    return normalize(written).replace(/(?<=.)\/$/, "");
  });
}

/** One of `names`. */
export function choice<const T extends string>(names: readonly T[]) {
  return setting(
    names.length === 1 ? `"${names[0]}"` : `one of ${names.join(", ")}`,
    (written) => names.find((name) => name === written) ?? null,
  );
}

/** A place to listen or connect to: `HOST:PORT`, `[IPV6]:PORT` or `:PORT`. */
export interface NetworkAddress {
  /** Without brackets; `0.0.0.0` where only a port was written. */
  readonly hostname: string;
  readonly port: number;
}

/** A {@linkcode NetworkAddress}; `:9090` means every interface. */
export function networkAddress() {
  return setting('an address such as "127.0.0.1:9090" or ":9090"', parseNetworkAddress);
}

/** The address that `written` names, or null. */
export function parseNetworkAddress(written: string): NetworkAddress | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*)):(\d{1,5})$/.exec(written);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return null;
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}

/** The URL of a service, `example` for one; without a trailing slash in the result. */
export function serviceUrl(example: string) {
  return setting(`a URL such as "${example}", without query or password`, parseServiceUrl);
}

/** `written` without trailing slashes, or null when it is no bare http or https URL. */
export function parseServiceUrl(written: string): string | null {
  if (!URL.canParse(written)) return null;
  const url = new URL(written);
  const plain = url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (!plain || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  return written.replace(/\/+$/, "");
}

/** A mapping with exactly these keys. */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: "wanted a mapping of keys to values" });
}

/** A sequence of `item`, at most `max` long. */
export function list<Item extends z.core.SomeType>(item: Item, max: number) {
  return z.array(item, { error: 'wanted a list of "- …" items' })
    .max(max, { error: `wanted at most ${max} items` });
}

/** A key that people write and that is refused with `message`: an inline secret, another name. */
export function refusedKey(message: string) {
  return z.never({ error: message }).optional();
}

/** A refused key that would hold a secret; `instead` names the keys to use. */
export function inlineSecret(instead: string) {
  return refusedKey(`secrets do not belong in this file: remove it and give ${instead}`);
}

/** Keys that `schema` accepts at `path` below it; null when it is no mapping there. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return keysAt(schema.unwrap(), path);
  }
  const [first, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (first !== undefined) return keysAt(schema.shape[String(first)], rest);
    return Object.keys(schema.shape).filter((key) => !isRefused(schema.shape[key]));
  }
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return keysAt(schema.valueType, rest);
  return null;
}

function isRefused(schema: unknown): boolean {
  return schema instanceof z.ZodOptional && schema.unwrap() instanceof z.ZodNever;
}
