import { deepEqual, equal, match, throws } from "node:assert/strict";
import { parseKeyFile } from "./key_file.ts";

const ACCOUNT = {
  type: "service_account",
  client_email: "reader@project.iam.gserviceaccount.com",
  private_key_id: "1",
  private_key: "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
  token_uri: "https://tokens.example.org/token",
};

const parse = (json: unknown) => parseKeyFile("/key.json", JSON.stringify(json));

Deno.test("parseKeyFile knows the key of a service account, and prints none of it", () => {
  const key = parse(ACCOUNT);
  equal(key.type, "service_account");
  if (key.type !== "service_account") return;
  equal(key.email, ACCOUNT.client_email);
  equal(key.privateKey.reveal(), ACCOUNT.private_key);
  equal(key.tokenUri, ACCOUNT.token_uri);
  equal(/hunter/.test(Deno.inspect(key, { depth: 9 }) + JSON.stringify(key)), false);
  const { token_uri: _, ...plain } = ACCOUNT;
  const usual = parse(plain);
  equal(usual.type === "service_account" && usual.tokenUri, "https://oauth2.googleapis.com/token");
});

Deno.test("parseKeyFile knows what gcloud writes, and leaves the rest to the library", () => {
  const user = { client_id: "id", client_secret: "hunter2", refresh_token: "hunter3" };
  const key = parse({ type: "authorized_user", ...user });
  equal(key.type, "authorized_user");
  equal(/hunter/.test(Deno.inspect(key, { depth: 9 })), false);
  const external = { type: "external_account", audience: "a" };
  deepEqual(parse(external).type, "other");
});

Deno.test("parseKeyFile says what is wrong with a file, and quotes nothing of it", () => {
  const wrong: [text: string, reason: RegExp][] = [
    ["hunter2", /is no JSON/],
    ["[]", /is no file of credentials/],
    ['{"type": "service_account"}', /lacks client_email, private_key/],
    ['{"installed": {"client_secret": "hunter2"}}', /is no file of credentials/],
    [JSON.stringify({ ...ACCOUNT, token_uri: "http://a.example" }), /token_uri.*https/],
  ];
  for (const [text, reason] of wrong) {
    throws(() => parseKeyFile("/key.json", text), (error: unknown) => {
      match(String(error), reason);
      equal(/hunter/.test(Deno.inspect(error, { depth: 9 })), false);
      return true;
    });
  }
});
