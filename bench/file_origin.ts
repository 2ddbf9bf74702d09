/** The files of a directory as the Blob service serves them, as far as a mount reads. */
import { rangeOf } from "./origin.ts";
import type { RunningOrigin } from "./origin_process.ts";

/** Serves until it is disposed. */
export type FileOrigin = Pick<RunningOrigin, "backend"> & AsyncDisposable;

const ACCOUNT = "bench";
const CONTAINER = "data";
const PROPERTIES = {
  etag: '"0x8DD0000000000AB"',
  "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
  "x-ms-blob-type": "BlockBlob",
  "x-ms-version": "2023-11-03",
};

/** Serves `names`, files in `directory`, on loopback. */
export function serveFiles(directory: string, names: readonly string[]): FileOrigin {
  const onListen = () => {};
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async (request) => {
    const url = new URL(request.url);
    if (url.searchParams.get("comp") === "list") {
      return new Response(await listing(directory, names), {
        headers: { "content-type": "application/xml", "x-ms-version": "2023-11-03" },
      });
    }
    const name = names.find((candidate) => url.pathname.endsWith(`/${candidate}`));
    if (name === undefined) {
      return new Response(null, { status: 404, headers: { "x-ms-error-code": "BlobNotFound" } });
    }
    return await blob(`${directory}/${name}`, request);
  });
  const endpoint = `http://127.0.0.1:${server.addr.port}/${ACCOUNT}`;
  return {
    backend: { endpoint, account: ACCOUNT, root: CONTAINER },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function blob(path: string, request: Request): Promise<Response> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...PROPERTIES, "content-length": String(size) } });
  }
  const range = request.headers.get("range") ?? request.headers.get("x-ms-range") ?? undefined;
  const [start, end] = rangeOf(range, size);
  const bytes = new Uint8Array(end - start);
  await file.seek(start, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    filled += await file.read(bytes.subarray(filled)) ?? bytes.length;
  }
  return new Response(bytes, {
    status: 206,
    headers: { ...PROPERTIES, "content-range": `bytes ${start}-${end - 1}/${size}` },
  });
}

async function listing(directory: string, names: readonly string[]): Promise<string> {
  const blobs: string[] = [];
  for (const name of names) {
    const { size } = await Deno.stat(`${directory}/${name}`);
    blobs.push(
      `<Blob><Name>${name}</Name><Properties>` +
        `<Last-Modified>${PROPERTIES["last-modified"]}</Last-Modified>` +
        `<Etag>${PROPERTIES.etag.replaceAll('"', "")}</Etag>` +
        `<Content-Length>${size}</Content-Length>` +
        "<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType>" +
        "</Properties></Blob>",
    );
  }
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs.join("")}` +
    "</Blobs><NextMarker /></EnumerationResults>";
}
