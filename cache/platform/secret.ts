/** What every secret prints as, wherever it ends up. */
export const REDACTED = "***";

/**
 * A string that must never be printed: it shows as `***` in templates, JSON, `Deno.inspect` and
 * logs. Only {@linkcode Secret.reveal} gives the value, at the one place that sends it.
 */
export class Secret {
  readonly #value: string;
  readonly #file: string | null;

  constructor(value: string, file: string | null = null) {
    this.#value = value;
    this.#file = file;
  }

  /** The file it was read from, which may be replaced; null: it was in none. */
  get file(): string | null {
    return this.#file;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
