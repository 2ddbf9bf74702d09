/**
 * How the JavaScript engine of the program is started: by `deno compile`, and by whoever runs it
 * from source to measure it. An engine that runs cannot be told any more.
 */

/**
 * Size of either half of the space of young objects, in MiB. Left alone it grows to 32: with 64
 * readers the heap then takes 90 MiB for 25 MiB of live objects, memory that no budget counts. With
 * this bound the process stayed 50 MiB smaller, and reads cost no more processor time.
 */
const YOUNG_HALF_MIB = 4;

/** The argument of `deno run` and `deno compile`. */
export const V8_FLAGS = `--v8-flags=--max-semi-space-size=${YOUNG_HALF_MIB}`;
