/** Puts of any size into one block blob, with one block in memory. */
import { createHash } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import type { Content } from "../backend.ts";
import { blocksOf } from "../content_blocks.ts";

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
  const ids: string[] = [];
  // The service computes it of a blob that comes in one request, and never of blocks.
  const md5 = createHash("md5");
  for await (const { block, isLast } of blocksOf(content, blockBytes, abortSignal)) {
    if (isLast && ids.length === 0) return await blob.upload(block, block.length, { abortSignal });
    md5.update(block);
    ids.push(await stage(blob, ids.length, block, abortSignal));
  }
  const blobHTTPHeaders = { blobContentMD5: new Uint8Array(md5.digest()) };
  return await blob.commitBlockList(ids, { abortSignal, blobHTTPHeaders });
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
