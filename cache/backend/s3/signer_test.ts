import assert from "node:assert/strict";
import { JudgedCredential } from "../identity/judged_credential.ts";
import { RenewedCredential } from "../identity/renewed_credential.ts";
import { S3Signer } from "./signer.ts";
import { never } from "../../../tests/support/backend_calls.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

const REQUEST = {
  method: "GET",
  protocol: "https:",
  hostname: "s3.example.org",
  path: "/bucket/key",
  query: {},
  headers: { host: "s3.example.org" },
};

/** A signer whose issuer numbers its keys, which end where `expiration` says. */
function signerOf(expiration: Date | undefined) {
  let issued = 0;
  const issue = () => {
    issued += 1;
    const value = {
      accessKeyId: `key${issued}`,
      secretAccessKey: "secret",
      ...(expiration === undefined ? {} : { expiration }),
    };
    return Promise.resolve({ value, expiresMs: expiration?.getTime() ?? Infinity });
  };
  const deps = { clock: new FakeClock(), random: () => 0, onRenewal: () => {} };
  const credential = new RenewedCredential("aws", issue, deps);
  const words = { what: "keys", hint: "Look at them" };
  return new S3Signer("eu-west-1", new JudgedCredential(credential, words));
}

/** Which key a request is signed with. */
async function keyOf(signer: S3Signer): Promise<string | undefined> {
  await signer.prepare(never);
  const { headers } = await signer.sign(REQUEST);
  return /Credential=(\w+)\/\d+\/eu-west-1\/s3\//.exec(headers["authorization"] ?? "")?.[1];
}

Deno.test("S3Signer signs for its region, with the same key as long as it is good", async () => {
  await using signer = signerOf(undefined);
  assert.equal(await keyOf(signer), "key1");
  assert.equal(await keyOf(signer), "key1");
});

Deno.test("S3Signer takes another key for one that was refused, if such keys end", async () => {
  await using ending = signerOf(new Date(1e15));
  assert.equal(await keyOf(ending), "key1");
  const refused = await ending.prepare(never);
  assert.ok(refused !== null);
  assert.equal(await ending.replace(refused, never), true);
  assert.equal(await keyOf(ending), "key2");
  await using lasting = signerOf(undefined);
  assert.equal(await keyOf(lasting), "key1");
  const kept = await lasting.prepare(never);
  assert.ok(kept !== null);
  assert.equal(await lasting.replace(kept, never), false, "the same one would be given out again");
});

Deno.test("S3Signer leaves requests to public buckets as they are", async () => {
  await using signer = new S3Signer("eu-west-1", null);
  await signer.prepare(never);
  assert.equal(await signer.sign(REQUEST), REQUEST);
});
