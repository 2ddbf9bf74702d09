/** The process's text streams. */
import type { Output } from "./cli.ts";

/** What `Deno.stdout` and `Deno.stderr` offer. */
interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** `stream` as an {@linkcode Output}; text is written whole before `write` returns. */
export function streamOutput(stream: Stream): Output {
  const encoder = new TextEncoder();
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      let bytes = encoder.encode(text);
      // A pipe takes what fits.
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    },
  };
}
