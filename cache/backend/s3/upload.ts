/** Puts of any size into one object, with one part in memory. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { Content } from "../backend.ts";
import { blocksOf } from "../content_blocks.ts";
import { StoreFault } from "../store_fault.ts";
import { NO_S3_SERVICE } from "./errors.ts";

/** Contents up to this size go in one request. */
const PART_BYTES = 8 * 1024 * 1024;
/** Parts of one upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PARTS_MAX = 10_000;

/** The object that requests are about, as their fields name it. */
export interface ObjectAddress {
  readonly Bucket: string;
  readonly Key: string;
}

/** Stores `content` and returns its ETag; nothing is visible before all of it has arrived. */
export async function upload(
  client: S3Client,
  object: ObjectAddress,
  content: Content,
  abortSignal: AbortSignal,
): Promise<string> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(content.sizeBytes / PARTS_MAX));
  if (content.sizeBytes > partBytes) {
    return await uploadParts(client, object, content, partBytes, abortSignal);
  }
  for await (const { block } of blocksOf(content, partBytes, abortSignal)) {
    const put = new PutObjectCommand({ ...object, Body: block });
    const { ETag } = await client.send(put, { abortSignal });
    return given(ETag);
  }
  throw new Error("A content has at least one block");
}

async function uploadParts(
  client: S3Client,
  object: ObjectAddress,
  content: Content,
  partBytes: number,
  abortSignal: AbortSignal,
): Promise<string> {
  const create = new CreateMultipartUploadCommand(object);
  const upload = { ...object, UploadId: (await client.send(create, { abortSignal })).UploadId };
  try {
    const Parts: CompletedPart[] = [];
    for await (const { block } of blocksOf(content, partBytes, abortSignal)) {
      const PartNumber = Parts.length + 1;
      const part = new UploadPartCommand({ ...upload, PartNumber, Body: block });
      const { ETag } = await client.send(part, { abortSignal });
      Parts.push({ PartNumber, ETag });
    }
    const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } });
    const { ETag } = await client.send(complete, { abortSignal });
    return given(ETag);
  } catch (error) {
    await discard(client, upload);
    throw error;
  }
}

/** The ETag of an answer, which every store gives. */
function given(etag: string | undefined): string {
  if (etag === undefined) throw new StoreFault(...NO_S3_SERVICE);
  return etag;
}

/** How long to try to delete the parts of an upload that failed. */
const DISCARD_MS_MAX = 5_000;

/** Parts cost money until they are deleted. */
async function discard(
  client: S3Client,
  upload: ObjectAddress & { readonly UploadId: string | undefined },
): Promise<void> {
  // The signal of the caller may be what ended the upload.
  const abortSignal = AbortSignal.timeout(DISCARD_MS_MAX);
  await client.send(new AbortMultipartUploadCommand(upload), { abortSignal }).catch(() => {
    // A store that is down keeps them until a lifecycle rule of the bucket deletes them.
  });
}
