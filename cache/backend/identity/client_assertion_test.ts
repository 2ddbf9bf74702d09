import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { clientAssertion } from "./client_assertion.ts";

/** A certificate that openssl made for the tests; it ended long ago, which nobody asks here. */
async function makePem(directory: string): Promise<{ pem: string; publicKey: CryptoKey }> {
  const [key, certificate] = [`${directory}/key`, `${directory}/certificate`];
  const { success } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=application"],
      ...["-keyout", key, "-out", certificate],
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  assert.ok(success);
  const pem = await Deno.readTextFile(certificate) + await Deno.readTextFile(key);
  const der = createPublicKey(await Deno.readTextFile(key)).export({ type: "spki", format: "der" });
  const hash = { name: "RSA-PSS", hash: "SHA-256" };
  const publicKey = await crypto.subtle.importKey("spki", Uint8Array.from(der), hash, true, [
    "verify",
  ]);
  return { pem, publicKey };
}

function part(text = ""): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, "base64url").toString());
}

const APPLICATION = { clientId: "id", tokenEndpoint: "https://login/t/token", password: null };

Deno.test("clientAssertion signs who the application is, for ten minutes", async () => {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-assertion-" });
  try {
    const { pem, publicKey } = await makePem(directory);
    const assertion = await clientAssertion({ ...APPLICATION, pem }, 1_500);
    const [head, body, signature = ""] = assertion.split(".");
    const { jti: _, ...claims } = part(body);
    assert.deepEqual(claims, {
      ...{ aud: "https://login/t/token", iss: "id", sub: "id", nbf: 1, iat: 1, exp: 601 },
    });
    const { "x5t#S256": thumbprint, ...header } = part(head);
    assert.deepEqual(header, { alg: "PS256", typ: "JWT" });
    assert.equal(Buffer.from(String(thumbprint), "base64url").length, 32);
    // Not by node:crypto, which takes signatures of another kind for good in Deno before 2.9.
    const pss = { name: "RSA-PSS", saltLength: 32 };
    const [text, bytes] = [`${head}.${body}`, Uint8Array.from(Buffer.from(signature, "base64url"))];
    const signed = new TextEncoder().encode(text);
    assert.ok(await crypto.subtle.verify(pss, publicKey, bytes, signed));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Earlier ones cannot open any key with a password, which they say. */
const OPENS_KEYS = Number(Deno.version.deno.split(".")[1]) >= 9;

Deno.test({
  name: "clientAssertion opens a key with a password, and says when it is wrong",
  ignore: !OPENS_KEYS,
  fn: opensKeys,
});

async function opensKeys(): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-assertion-" });
  try {
    const { pem: open } = await makePem(directory);
    const certificate = open.slice(0, open.indexOf("-----BEGIN PRIVATE"));
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = String(
      privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "pw" }),
    );
    const pem = certificate + key;
    const opened = await clientAssertion({ ...APPLICATION, pem, password: "pw" }, 0);
    assert.equal(opened.split(".").length, 3);
    const wrong = { ...APPLICATION, pem, password: "hunter2" };
    await assert.rejects(clientAssertion(wrong, 0), /certificate or key cannot be used/);
    const bare = { ...APPLICATION, pem: key };
    await assert.rejects(clientAssertion(bare, 0), /holds no certificate/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
