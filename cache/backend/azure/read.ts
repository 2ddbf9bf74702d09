/**
 * Ranged reads of one version, the data path of every cold byte: signed by the SDK's policy,
 * fetched and streamed by us, because the download of the SDK copies through node streams.
 */
import { createHttpHeaders, createPipelineRequest, type Pipeline } from "@azure/core-rest-pipeline";
import type { AzureTransport } from "./transport.ts";
import type { RangeRead } from "../backend.ts";
import { etagOf, fillFrom } from "../range_answer.ts";

/** Any version that knows ranges and tokens would do; this one the emulator knows too. */
const SERVICE_VERSION = "2023-11-03";

/** How a read gets out: `pipeline` signs, `transport` sends. */
export interface ReadPath {
  readonly pipeline: Pipeline;
  readonly transport: AzureTransport;
}

/** Fills `range.target` from the blob at `url`; see `Backend.read`. */
export async function readRange(
  path: ReadPath,
  url: string,
  range: RangeRead,
  signal: AbortSignal,
): Promise<void> {
  const last = range.offset + range.target.length - 1;
  const request = createPipelineRequest({
    url,
    method: "GET",
    headers: createHttpHeaders({
      "range": `bytes=${range.offset}-${last}`,
      "if-match": `"${range.version}"`,
      "x-ms-version": SERVICE_VERSION,
    }),
    abortSignal: signal,
    allowInsecureConnection: true,
  });
  await path.pipeline.sendRequest({
    sendRequest: async (signed) => {
      const response = await path.transport.send({
        url,
        method: "GET",
        headers: signed.headers,
        body: null,
      }, signal);
      await fillFrom(response, url, range, etagOf(response), signal);
      return { request: signed, status: response.status, headers: createHttpHeaders() };
    },
  }, request);
}
