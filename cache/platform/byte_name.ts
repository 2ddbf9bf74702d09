/**
 * File names are bytes to the kernel and strings to stores and logs. A name is held as a string in
 * which every byte that is not part of valid UTF-8 stands as a lone low surrogate U+DC80..U+DCFF
 * (the "surrogateescape" scheme of PEP 383). The mapping is exact both ways.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The name that `bytes` spell. */
export function decodeName(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    // Names are nearly always short ASCII, where this loop beats a call into the runtime.
    if (byte >= 0x80) return decodeNonAscii(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The bytes that `name` stands for. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  return name.isWellFormed() ? encoder.encode(name) : encodeEscaped(name);
}

/** Whether `name` is valid Unicode, which every object store demands of a key. */
export function isUnicodeName(name: string): boolean {
  return name.isWellFormed();
}

function decodeNonAscii(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Not UTF-8: decode the longest valid sequences and escape the bytes between them.
  }
  let text = "";
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes, index);
    text += length === 0
      ? String.fromCharCode(0xdc00 + (bytes[index] ?? 0))
      : strict.decode(bytes.subarray(index, index + length));
    index += Math.max(length, 1);
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `index`, or 0 if there is none. */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const lead = bytes[index] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0 || lead > 0xf4 || index + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(index, index + length));
    return length;
  } catch {
    return 0;
  }
}

function encodeEscaped(name: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else bytes.push(...encoder.encode(character));
  }
  return new Uint8Array(bytes);
}
