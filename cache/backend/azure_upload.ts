/** Puts of any size into one block blob, with one block in memory. */
import type { BlockBlobClient } from "@azure/storage-blob";
import { AzureFault } from "./azure_errors.ts";
import type { Content } from "./backend.ts";

/** Contents up to this size go in one request. */
const BLOCK_BYTES = 8 * 1024 * 1024;
/** Blocks of one blob: https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const BLOCKS_MAX = 50_000;

/** What the service says of a finished upload. */
export interface UploadAnswer {
  readonly etag?: string;
  readonly lastModified?: Date;
}

/** Stores `content`; nothing is visible before all of it has arrived. */
export async function upload(
  blob: BlockBlobClient,
  content: Content,
  abortSignal: AbortSignal,
): Promise<UploadAnswer> {
  const blockBytes = Math.max(BLOCK_BYTES, Math.ceil(content.sizeBytes / BLOCKS_MAX));
  const buffer = new Uint8Array(Math.min(blockBytes, content.sizeBytes));
  const ids: string[] = [];
  let sentBytes = 0;
  let heldBytes = 0;
  for await (const chunk of content.open()) {
    abortSignal.throwIfAborted();
    if (sentBytes + heldBytes + chunk.length > content.sizeBytes) {
      throw new AzureFault("invalid", `more bytes than the ${content.sizeBytes} announced`);
    }
    for (let taken = 0; taken < chunk.length;) {
      if (heldBytes === buffer.length) {
        ids.push(await stage(blob, ids.length, buffer, abortSignal));
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
    throw new AzureFault(
      "invalid",
      `${sentBytes + heldBytes} bytes where ${content.sizeBytes} were announced`,
    );
  }
  const last = buffer.subarray(0, heldBytes);
  if (ids.length === 0) return await blob.upload(last, last.length, { abortSignal });
  ids.push(await stage(blob, ids.length, last, abortSignal));
  return await blob.commitBlockList(ids, { abortSignal });
}

async function stage(
  blob: BlockBlobClient,
  index: number,
  block: Uint8Array<ArrayBuffer>,
  abortSignal: AbortSignal,
): Promise<string> {
  // All ids of a blob have to be of one length.
  const id = btoa(String(index).padStart(6, "0"));
  await blob.stageBlock(id, block, block.length, { abortSignal });
  return id;
}
