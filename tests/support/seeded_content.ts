/** Objects whose bytes follow from their names. */

const SIZE_BYTES = 64 * 1024;

/** What the object `name` holds: its name, as often as fits in 64 KiB. */
export function seededContent(name: string): Uint8Array<ArrayBuffer> {
  const text = `${name}\n`.repeat(Math.ceil(SIZE_BYTES / (name.length + 1)));
  return new TextEncoder().encode(text).slice(0, SIZE_BYTES);
}
