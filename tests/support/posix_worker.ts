/**
 * Makes the system calls of {@linkcode file://./posix.ts}, on a thread of its own: one that hangs
 * does not keep the test from seeing that it hangs, and errno belongs to the calling thread.
 */
import { cString } from "../../cache/platform/libc.ts";
import { POSIX_SYMBOLS, type PosixAnswer, type PosixQuestion } from "./posix_symbols.ts";

// The product has no use for most of these calls, so its libc.ts does not offer them.
// deno-lint-ignore warpdrive/ambient
const { symbols } = Deno.dlopen("libc.so.6", POSIX_SYMBOLS);
const location = symbols.__errno_location();
if (location === null) throw new Error("Cannot find errno: libc gave no address");
const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));

/** What the types of a module that is no worker leave out. */
const self = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage">;

self.onmessage = ({ data }: MessageEvent<PosixQuestion>) => {
  const args = data.args.map((value) => typeof value === "string" ? cString(value) : value);
  // The table is typed call by call; here any of them is called with what the test gave.
  const call = symbols[data.name] as (...values: unknown[]) => number | bigint;
  const result = Number(call(...args));
  const failed = result === -1 || (result === 0 && data.nullIsFailure);
  const answer: PosixAnswer = {
    result: failed ? -(errno[0] ?? 0) : result,
    buffers: args.filter((value) => value instanceof Uint8Array),
  };
  self.postMessage(answer);
};
