import { equal } from "node:assert/strict";
import { isPrivateWay } from "./token_url.ts";

Deno.test("isPrivateWay lets tokens go over TLS, and within this machine", () => {
  for (
    const url of ["https://a.example", "http://127.0.0.1:1", "http://localhost", "http://[::1]:2"]
  ) {
    equal(isPrivateWay(url), true, url);
  }
  for (const url of ["http://a.example", "http://127.a.example", "ftp://localhost", "", "x"]) {
    equal(isPrivateWay(url), false, url);
  }
});
