/** Puts of any size into one object, with one part in memory. */
import type { Content } from "../backend.ts";
import { blocksOf } from "../content_blocks.ts";
import { bodyText } from "../range_answer.ts";
import { StoreFault } from "../store_fault.ts";
import { STORED_OBJECT, type StoredObject } from "./entry.ts";
import { NO_GCS_SERVICE } from "./errors.ts";
import { type GcsTransport, type OutgoingRequest, plainRequest } from "./transport.ts";

/**
 * Contents up to this size go in one request; larger ones in parts of it, which have to be
 * multiples of 256 KiB: https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
const PART_BYTES = 8 * 1024 * 1024;
/** The service has the part, and wants more. */
const PART_TAKEN = 308;

/** What the bytes are is nobody's business here. */
const CONTENT_TYPE = { "content-type": "application/octet-stream" };

/**
 * Stores `content` as `path` of the API says, which lacks only the kind of the upload, and returns
 * what is stored then; nothing is visible before all of it has arrived.
 */
export async function upload(
  transport: GcsTransport,
  path: string,
  content: Content,
  signal: AbortSignal,
): Promise<StoredObject> {
  if (content.sizeBytes > PART_BYTES) return await uploadParts(transport, path, content, signal);
  for await (const { block } of blocksOf(content, PART_BYTES, signal)) {
    const request: OutgoingRequest = {
      method: "POST",
      path: `${path}&uploadType=media`,
      headers: CONTENT_TYPE,
      body: block,
    };
    return await transport.ask(request, STORED_OBJECT, signal);
  }
  throw new Error("A content has at least one block");
}

async function uploadParts(
  transport: GcsTransport,
  path: string,
  content: Content,
  signal: AbortSignal,
): Promise<StoredObject> {
  const session = await openSession(transport, path, signal);
  try {
    let sentBytes = 0;
    for await (const { block, isLast } of blocksOf(content, PART_BYTES, signal)) {
      const last = sentBytes + block.length - 1;
      const request: OutgoingRequest = {
        method: "PUT",
        path: session,
        headers: {
          ...CONTENT_TYPE,
          "content-range": `bytes ${sentBytes}-${last}/${content.sizeBytes}`,
        },
        body: block,
      };
      sentBytes += block.length;
      if (isLast) return await transport.ask(request, STORED_OBJECT, signal);
      const answer = await transport.send(request, signal, (status) => status === PART_TAKEN);
      await answer.body?.cancel();
      // It may keep less than it was sent; who wrote it all again at once would be the retry.
      if (answer.headers.get("range") !== `bytes=0-${last}`) {
        throw new StoreFault("unavailable", "the service did not keep a part of the upload");
      }
    }
    throw new Error("A content has a last block");
  } catch (error) {
    await discard(transport, session);
    throw error;
  }
}

/** The path of a new upload, which takes parts. */
async function openSession(
  transport: GcsTransport,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const request = plainRequest("POST", `${path}&uploadType=resumable`);
  const answer = await transport.send(request, signal);
  await bodyText(answer, transport.urlOf(request), signal);
  const location = answer.headers.get("location");
  if (location === null || !URL.canParse(location)) throw new StoreFault(...NO_GCS_SERVICE);
  const { pathname, search } = new URL(location);
  // At our endpoint: the token is for nobody else whom a header might name.
  return pathname + search;
}

/** How long to try to end an upload that failed. */
const DISCARD_MS_MAX = 5_000;
/** What the service answers to that, for want of a better status. */
const UPLOAD_ENDED = 499;

/** Otherwise it waits for more, a week long. */
async function discard(transport: GcsTransport, session: string): Promise<void> {
  // The signal of the caller may be what ended the upload.
  const signal = AbortSignal.timeout(DISCARD_MS_MAX);
  const accepts = (status: number) => status === UPLOAD_ENDED || status < 300;
  await transport.send(plainRequest("DELETE", session), signal, accepts).then(
    (answer) => answer.body?.cancel(),
    () => {
      // A service that is down ends it by itself.
    },
  );
}
