/** Ranged reads of one generation, the data path of every cold byte. */
import type { RangeRead } from "../backend.ts";
import { fillFrom } from "../range_answer.ts";
import type { GcsTransport } from "./transport.ts";

/** Fills `range.target` from the object at `path` of the JSON API; see `Backend.read`. */
export async function readRange(
  transport: GcsTransport,
  path: string,
  range: RangeRead,
  signal: AbortSignal,
): Promise<void> {
  const generation = encodeURIComponent(range.version);
  const request = {
    method: "GET",
    // The condition is for services that do not know generations and would give what they have.
    path: `${path}?alt=media&generation=${generation}&ifGenerationMatch=${generation}`,
    headers: {
      range: `bytes=${range.offset}-${range.offset + range.target.length - 1}`,
      // Or what is stored compressed would come decompressed, whole, and of another size.
      "accept-encoding": "gzip",
    },
    body: null,
  } as const;
  const response = await transport.send(request, signal);
  const given = response.headers.get("x-goog-generation");
  await fillFrom(response, transport.urlOf(request), range, given, signal);
}
