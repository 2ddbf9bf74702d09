import { equal } from "node:assert/strict";
import { isAccountKey, parseSasToken } from "./azure_auth_config.ts";
import { Secret } from "../platform/secret.ts";

Deno.test("isAccountKey tells base64 from other text", () => {
  equal(isAccountKey(new Secret("QWxsIGtleXMgYXJlIGJhc2U2NCB0ZXh0IGluIEF6dXJl")), true);
  equal(isAccountKey(new Secret("QWxsIGtleXMgYXJlIGJhc2U2NA==")), true);
  equal(isAccountKey(new Secret("hunter2")), false);
  equal(isAccountKey(new Secret("sv=2024&sig=abcdefghijklmnop")), false);
});

Deno.test("parseSasToken takes a token with or without its question mark, and no URL", () => {
  equal(parseSasToken(new Secret("?sv=1&sig=x"))?.reveal(), "sv=1&sig=x");
  equal(parseSasToken(new Secret("sig=x&sv=1"))?.reveal(), "sig=x&sv=1");
  equal(parseSasToken(new Secret("https://a.example/c?sv=1&sig=x")), null);
  equal(parseSasToken(new Secret("hunter2")), null);
});
