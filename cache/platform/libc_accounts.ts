/** Users and groups by name and number, from whatever the machine asks for them (NSS). */
import type { LIBC_SYMBOLS } from "./libc_symbols.ts";

type Symbols = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];

/**
 * Behind names and numbers. A directory service may take its time to answer: not to be asked while
 * something is served.
 */
export class LibcAccounts {
  readonly #symbols: Symbols;

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** The id of the group `name`; null when unknown. */
  groupId(name: string): number | null {
    const record = this.#symbols.getgrnam(cString(name));
    // struct group: two pointers, then gr_gid.
    return record === null ? null : new Deno.UnsafePointerView(record).getUint32(16);
  }

  /** The id of the user `name`; null when unknown. */
  userId(name: string): number | null {
    const record = this.#symbols.getpwnam(cString(name));
    // struct passwd: two pointers, then pw_uid.
    return record === null ? null : new Deno.UnsafePointerView(record).getUint32(16);
  }

  /** The name of user `uid`; null when unknown. */
  userName(uid: number): string | null {
    const record = this.#symbols.getpwuid(uid);
    const name = record === null ? null : new Deno.UnsafePointerView(record).getPointer(0);
    return name === null ? null : new Deno.UnsafePointerView(name).getCString();
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
