/**
 * Walks a range block by block, a few at once: what is fetched ahead of use may be of any length,
 * and thousands of fetches that wait would only take memory.
 */

/** Blocks on their way at once, as many as the read-ahead of a reader has. */
export const BLOCKS_MAX = 8;

/** A part of an object; bytes from `offset` to, not including, `end`. */
export interface ByteSpan {
  readonly offset: number;
  readonly end: number;
}

/**
 * Calls `fetch` for each block of `span`, in order; resolves when all of them have.
 *
 * @throws what the first call that failed did; those under way are waited for, no more are begun.
 */
export async function eachBlock(
  span: ByteSpan,
  blockBytes: number,
  fetch: (block: ByteSpan) => Promise<void>,
): Promise<void> {
  let offset = span.offset;
  const failures: unknown[] = [];
  const work = async () => {
    while (offset < span.end && failures.length === 0) {
      const end = Math.min(span.end, (Math.floor(offset / blockBytes) + 1) * blockBytes);
      const block = { offset, end };
      offset = end;
      await fetch(block).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_MAX }, work));
  if (failures.length > 0) throw failures[0];
}
