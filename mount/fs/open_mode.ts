/**
 * How an inode is open: the kernel refuses to mix page-cache and passthrough opens of one inode,
 * or two backing files (EIO to the application; fs/fuse/iomode.c), so all opens that overlap agree.
 *
 *     none ──open──▶ cached(n) ──release of the last──▶ none
 *      └────open───▶ passthrough(n, id) ──release of the last──▶ none
 *
 * | state        | next open may be                     |
 * |--------------|--------------------------------------|
 * | none         | cached, passthrough with a fresh id  |
 * | cached       | cached                               |
 * | passthrough  | passthrough with the same id         |
 *
 * The kernel gives up its own reference before it sends RELEASE, so a count of 0 here is a safe
 * moment to change the mode. The id is given back then and not before: new opens would fail.
 */
import { assert, unreachable } from "../../cache/platform/assert.ts";

/** The mode of one inode. */
export type OpenMode =
  | { readonly mode: "none" }
  | { readonly mode: "cached"; readonly opens: number }
  | { readonly mode: "passthrough"; readonly opens: number; readonly backingId: number };

/** The mode of an inode nobody has open. */
export const NOT_OPEN: OpenMode = { mode: "none" };

/**
 * The mode after one more open. `register` makes a backing id for passthrough, or returns null
 * where there is none to be had; it is only called when nothing is open.
 */
export function opened(
  current: OpenMode,
  register: () => number | null,
): Exclude<OpenMode, { mode: "none" }> {
  switch (current.mode) {
    case "none": {
      const backingId = register();
      return backingId === null
        ? { mode: "cached", opens: 1 }
        : { mode: "passthrough", opens: 1, backingId };
    }
    case "cached":
    case "passthrough":
      return { ...current, opens: current.opens + 1 };
    default:
      return unreachable(current);
  }
}

/** The mode after one release, and the backing id that is free to be given back. */
export function released(
  current: OpenMode,
): { readonly next: OpenMode; readonly freedBackingId: number | null } {
  assert(current.mode !== "none", "Only what is open is released");
  if (current.opens > 1) {
    return { next: { ...current, opens: current.opens - 1 }, freedBackingId: null };
  }
  const freedBackingId = current.mode === "passthrough" ? current.backingId : null;
  return { next: NOT_OPEN, freedBackingId };
}
