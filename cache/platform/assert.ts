/**
 * Checks for what only a bug can break. Anything a user, a disk or a store can cause is an error
 * value or a typed error instead.
 */

/** A broken invariant of the program itself; never caught to carry on. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws {@linkcode AssertionError} with `message` unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Returns `value`, which the caller knows to be present. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionError(`Missing ${what}`);
  return value;
}

/** The default branch of an exhaustive switch: a compile error when a variant is unhandled. */
export function unreachable(value: never): never {
  throw new AssertionError(`Unreachable variant ${JSON.stringify(value)}`);
}
