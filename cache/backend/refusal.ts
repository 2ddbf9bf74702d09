/** Answers with which a store refuses a request. */

/** An answer that is not what was asked for; `header` looks a header up by its lower-case name. */
export interface Refusal {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** XML of the service, or whatever came; `""` for HEAD. */
  readonly body: string;
}

/** A {@linkcode Refusal} on its way to the place that knows the operation. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(readonly refusal: Refusal) {
    super(`The service answered ${refusal.status}`);
  }
}

/** Milliseconds meant by a Retry-After header, in seconds or as a date; null when it has none. */
export function parseRetryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

/** The text of the first element `name` of `xml`; null where there is none. */
export function xmlElement(xml: string, name: string): string | null {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? null;
}
