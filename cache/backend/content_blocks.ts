/** Contents cut into the blocks that stores take them in. */
import type { Content } from "./backend.ts";
import { StoreFault } from "./store_fault.ts";

/** One block of a content. */
export interface ContentBlock {
  /** Valid until the next one is asked for. */
  readonly block: Uint8Array<ArrayBuffer>;
  readonly isLast: boolean;
}

/**
 * The blocks of `content` in order, with one of them in memory: all of `blockBytes` but the last,
 * which has what is left. Of an empty content there is one, an empty one.
 *
 * @throws {StoreFault} `invalid` where the content is not as long as announced.
 */
export async function* blocksOf(
  content: Content,
  blockBytes: number,
  signal: AbortSignal,
): AsyncGenerator<ContentBlock> {
  const buffer = new Uint8Array(Math.min(blockBytes, content.sizeBytes));
  let sentBytes = 0;
  let heldBytes = 0;
  for await (const chunk of content.open()) {
    signal.throwIfAborted();
    if (sentBytes + heldBytes + chunk.length > content.sizeBytes) {
      throw new StoreFault("invalid", `more bytes than the ${content.sizeBytes} announced`);
    }
    for (let taken = 0; taken < chunk.length;) {
      if (heldBytes === buffer.length) {
        yield { block: buffer, isLast: false };
        sentBytes += heldBytes;
        heldBytes = 0;
      }
      const piece = chunk.subarray(taken, taken + buffer.length - heldBytes);
      buffer.set(piece, heldBytes);
      heldBytes += piece.length;
      taken += piece.length;
    }
  }
  if (sentBytes + heldBytes < content.sizeBytes) {
    throw new StoreFault(
      "invalid",
      `${sentBytes + heldBytes} bytes where ${content.sizeBytes} were announced`,
    );
  }
  yield { block: buffer.subarray(0, heldBytes), isLast: true };
}
