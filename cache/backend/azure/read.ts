/**
 * Ranged reads of one version, the data path of every cold byte: fetched and streamed by us,
 * because the download of the SDK copies through node streams.
 */
import type { AzureTransport } from "./transport.ts";
import type { RangeRead } from "../backend.ts";
import { etagOf, fillFrom } from "../range_answer.ts";

/** Any version that knows ranges and tokens would do; this one the emulator knows too. */
const SERVICE_VERSION = "2023-11-03";

/** Fills `range.target` from the blob at `url`; see `Backend.read`. */
export async function readRange(
  transport: AzureTransport,
  url: string,
  range: RangeRead,
  signal: AbortSignal,
): Promise<void> {
  const last = range.offset + range.target.length - 1;
  const response = await transport.send({
    url,
    method: "GET",
    headers: [
      ["range", `bytes=${range.offset}-${last}`],
      ["if-match", `"${range.version}"`],
      ["x-ms-version", SERVICE_VERSION],
    ],
    body: null,
  }, signal);
  await fillFrom(response, url, range, etagOf(response), signal);
}
