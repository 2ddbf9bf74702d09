import { deepEqual, equal } from "node:assert/strict";
import { parseHead } from "./http_head.ts";

function parsed(text: string) {
  const head = parseHead(text);
  if (head.kind === "refused") throw new Error(head.error.message);
  return head;
}

Deno.test("parseHead reads method, path and query", () => {
  const head = parsed("GET /v1/stats?a=1&a=2&b=%20 HTTP/1.1\r\nHost: x");
  deepEqual([head.method, head.path], ["GET", "/v1/stats"]);
  deepEqual([...head.query], [["a", "1"], ["a", "2"], ["b", " "]]);
});

Deno.test("parseHead takes a URL as clients write it to a proxy", () => {
  equal(parsed("GET http://warpdrive/v1/status HTTP/1.1").path, "/v1/status");
});

Deno.test("parseHead reads header names in any case", () => {
  deepEqual(parsed("POST /v1/a HTTP/1.1\r\ncOnTeNt-LeNgTh:12").body, { kind: "sized", bytes: 12 });
  deepEqual(parsed("POST /v1/a HTTP/1.1\r\nTRANSFER-ENCODING: Chunked").body, { kind: "chunked" });
  equal(parsed("POST /v1/a HTTP/1.1\r\nexpect: 100-Continue ").expectsContinue, true);
});

const WRONG: readonly string[] = [
  "",
  "GET /v1/a",
  "GET  /v1/a HTTP/1.1",
  "GET /v1/a HTTP/2.0",
  "GET /v1/a HTTP/1.0",
  "GET v1/a HTTP/1.1",
  "GET * HTTP/1.1",
  "G(T /v1/a HTTP/1.1",
  "GET /v1/a\x7f HTTP/1.1",
  "GET /v1/a HTTP/1.1\r\nNo colon",
  "GET /v1/a HTTP/1.1\r\nSpace : x",
  "GET /v1/a HTTP/1.1\r\nA: b\nB: c",
  `GET /v1/a HTTP/1.1${"\r\nA: b".repeat(101)}`,
  "POST /v1/a HTTP/1.1\r\nContent-Length: -1",
  "POST /v1/a HTTP/1.1\r\nContent-Length: 1, 1",
  "POST /v1/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
  "POST /v1/a HTTP/1.1\r\nContent-Length: 9999999999999",
  "POST /v1/a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
  "POST /v1/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1",
];

for (const text of WRONG) {
  Deno.test(`parseHead refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    const head = parseHead(text);
    equal(head.kind === "refused" && head.error.code, "bad_request");
  });
}
