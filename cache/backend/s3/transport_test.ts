import assert from "node:assert/strict";
import { escapeUri, urlOf } from "./transport.ts";

Deno.test("escapeUri leaves only what signatures leave", () => {
  assert.equal(escapeUri("aZ09-._~"), "aZ09-._~");
  assert.equal(escapeUri("!'()* /+ü"), "%21%27%28%29%2A%20%2F%2B%C3%BC");
});

Deno.test("urlOf is the URL that was signed", () => {
  const request = {
    method: "GET",
    protocol: "http:",
    hostname: "localhost",
    port: 7070,
    path: "/b/a%20b",
    query: { "list-type": "2", "prefix": "a b/", "uploads": "", "many": ["1", "2"] },
    headers: {},
  };
  assert.equal(
    urlOf(request),
    "http://localhost:7070/b/a%20b?list-type=2&prefix=a%20b%2F&uploads=&many=1&many=2",
  );
  const { port: _, query: __, ...plain } = request;
  assert.equal(urlOf({ ...plain, query: {} }), "http://localhost/b/a%20b");
});
