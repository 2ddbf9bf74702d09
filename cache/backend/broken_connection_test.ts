import assert from "node:assert/strict";
import { brokenConnection, redactUrls } from "./broken_connection.ts";
import { describeError } from "../platform/log.ts";

Deno.test("brokenConnection says in words what failed, and never prints a SAS", () => {
  const url = "https://acc.blob.core.windows.net/c/b";
  const cases: [string, RegExp, RegExp][] = [
    [
      "client error (Connect): tcp connect error: Connection refused (os error 111)",
      /refused/,
      /runs/,
    ],
    [
      "client error (Connect): dns error: failed to lookup address",
      /cannot be resolved/,
      /account/,
    ],
    [
      "client error (Connect): invalid peer certificate: UnknownIssuer",
      /not trusted/,
      /in DENO_CERT, or in ca_bundle/,
    ],
    ["client error (Connect): tls handshake eof", /no TLS/, /http:/],
    ["connection error: Connection reset by peer (os error 104)", /reset/, /^$/],
    ["connection closed before message completed", /broke off/, /^$/],
  ];
  for (const [said, message, hint] of cases) {
    const cause = new Error(`error sending request for url (${url}?sv=1&sig=SECRET): ${said}`);
    const error = brokenConnection(new TypeError("fetch failed", { cause }), url);
    assert.match(error.message, message);
    assert.match(error.message, /acc\.blob\.core\.windows\.net/);
    assert.match(error.hint ?? "", hint);
    assert.doesNotMatch(describeError(error) + Deno.inspect(error), /SECRET/);
  }
});

Deno.test("redactUrls blanks queries and keeps the rest", () => {
  assert.equal(
    redactUrls("for (http://h:1/c/b?sig=S&se=1): no; https://i/x?y"),
    "for (http://h:1/c/b?***): no; https://i/x?***",
  );
});
