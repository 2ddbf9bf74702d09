import type { Memory } from "../../cache/platform/libc.ts";

/** `parts` one behind the other, in memory of their own. */
export function joinBytes(parts: readonly Memory[]): Memory {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
