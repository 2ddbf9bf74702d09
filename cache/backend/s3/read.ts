/**
 * Ranged reads of one version, the data path of every cold byte: signed by the SDK's signer,
 * fetched and streamed by us, because a command of the SDK costs a read more than its signature.
 */
import type { HttpRequest } from "@smithy/types";
import type { RangeRead } from "../backend.ts";
import { etagOf, fillFrom } from "../range_answer.ts";
import type { S3Signer } from "./signer.ts";
import { escapeUri, type S3Transport, urlOf } from "./transport.ts";
import { StoreFault } from "../store_fault.ts";

/** How a read gets out: `signer` signs, `transport` sends. */
export interface S3ReadPath {
  readonly signer: S3Signer;
  readonly transport: S3Transport;
  /** The bucket as the SDK addresses it. */
  readonly bucketUrl: URL;
  /** Whether we pay for what we read. */
  readonly requesterPays: boolean;
}

/** Fills `range.target` from the object at `key`; see `Backend.read`. */
export async function readRange(
  path: S3ReadPath,
  key: string,
  range: RangeRead,
  signal: AbortSignal,
): Promise<void> {
  if (range.version === "") {
    throw new StoreFault(
      "invalid",
      "the store gives it no ETag, without which a read could mix two versions of it",
      "Write the object again through the store's own interface",
    );
  }
  const request = await path.signer.sign(getRequest(path, key, range));
  const response = await path.transport.send(request, signal);
  await fillFrom(response, urlOf(request), range, etagOf(response), signal);
}

function getRequest(path: S3ReadPath, key: string, range: RangeRead): HttpRequest {
  const { protocol, host, hostname, port, pathname } = path.bucketUrl;
  return {
    method: "GET",
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    path: `${pathname.replace(/\/$/, "")}/${key.split("/").map(escapeUri).join("/")}`,
    query: {},
    headers: {
      host,
      "range": `bytes=${range.offset}-${range.offset + range.target.length - 1}`,
      "if-match": `"${range.version}"`,
      ...(path.requesterPays ? { "x-amz-request-payer": "requester" } : {}),
    },
  };
}
