/**
 * Text of strangers on a terminal. A key of an object may hold line ends, escape sequences and
 * marks that turn the direction of writing: printed as they are, they would forge lines of a
 * report or steer the terminal of whoever reads it.
 */

/**
 * Control characters (C0, DEL and C1, which some terminals obey), halves of surrogate pairs, marks
 * of writing direction, line and paragraph separators, and the byte order mark.
 */
const UNSAFE = "\\p{Cc}\\p{Cs}\\p{Bidi_Control}\u2028\u2029\ufeff";
const TO_ESCAPE = new RegExp(`[\\\\${UNSAFE}]`, "gu");
const TO_ESCAPE_IN_JSON = new RegExp(`[${UNSAFE}]`, "gu");

const NAMED: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/**
 * `text` on one line, with nothing in it that a terminal would obey: `\n`, `\r`, `\t`, `\\`,
 * `\xHH` for a byte (a control character, or a byte that is no UTF-8) and `\uHHHH` for a code
 * point. No two texts look the same.
 */
export function visible(text: string): string {
  return text.replace(TO_ESCAPE, (character) => NAMED.get(character) ?? escapeOf(character));
}

/** JSON text that shows its strings as safely; it means the same. */
export function visibleJson(json: string): string {
  return json.replace(TO_ESCAPE_IN_JSON, (character) =>
    // The line ends of the layout itself: those within strings are escaped already.
    character === "\n" ? character : unicodeEscape(character.charCodeAt(0)));
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x80) return `\\x${hexadecimal(code, 2)}`;
  // A byte that is no UTF-8 stands as a lone surrogate (`cache/platform/byte_name.ts`).
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hexadecimal(code - 0xdc00, 2)}`;
  return unicodeEscape(code);
}

function unicodeEscape(code: number): string {
  return `\\u${hexadecimal(code, 4)}`;
}

function hexadecimal(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
