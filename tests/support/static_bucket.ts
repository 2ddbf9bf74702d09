/** One bucket with one object, as S3 tells of it: enough to see that a client works. */

const MODIFIED = new Date("2026-01-02T03:04:05Z");
/** Of an object in parts. */
const ETAG = '"0123456789abcdef0123456789abcdef-2"';

/** Serves `key` with `content` in `bucket`, on loopback, its answers with `facts`. */
export function serveBucket(
  bucket: string,
  key: string,
  content: string,
  facts: Readonly<Record<string, string>>,
): Deno.HttpServer<Deno.NetAddr> {
  const object = `<Contents><Key>${key}</Key><LastModified>${MODIFIED.toISOString()}</LastModified>
<ETag>${ETAG}</ETag><Size>${content.length}</Size></Contents>`;
  const listing = (prefix: string) =>
    `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name>
<Prefix>${prefix}</Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>
${key.startsWith(prefix) ? object : ""}</ListBucketResult>`;
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== `/${bucket}/${key}`) {
      return new Response(listing(searchParams.get("prefix") ?? ""), {
        headers: { "content-type": "application/xml" },
      });
    }
    const [, first = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(
      request.headers.get("range") ?? "bytes=0-",
    ) ?? [];
    const end = last === "" ? content.length : Math.min(Number(last) + 1, content.length);
    const headers = {
      ...facts,
      "etag": ETAG,
      "last-modified": MODIFIED.toUTCString(),
      "content-length": String(end - Number(first)),
      "content-range": `bytes ${first}-${end - 1}/${content.length}`,
    };
    const status = request.headers.has("range") ? 206 : 200;
    const body = request.method === "HEAD" ? null : content.slice(Number(first), end);
    return new Response(body, { status, headers });
  });
}
