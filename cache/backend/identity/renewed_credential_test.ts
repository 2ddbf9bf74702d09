import assert from "node:assert/strict";
import { type Issued, RenewedCredential } from "./renewed_credential.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

function bench() {
  const clock = new FakeClock();
  const renewals: string[] = [];
  const asked: PromiseWithResolvers<Issued<string>>[] = [];
  const issue = () => {
    const answer = Promise.withResolvers<Issued<string>>();
    asked.push(answer);
    return answer.promise;
  };
  const onRenewal = (status: string) => renewals.push(status);
  const token = new RenewedCredential(issue, { clock, onRenewal });
  const answer = (name: string, lifetimeMs = HOUR_MS) =>
    asked.at(-1)?.resolve({ value: name, expiresMs: clock.wallMs() + lifetimeMs });
  return { clock, renewals, asked, token, answer };
}

Deno.test("RenewedCredential asks once for all callers, and keeps what it got", async () => {
  const { clock, renewals, asked, token, answer } = bench();
  const waiting = [token.get(never), token.get(never), token.get(never)];
  answer("first");
  assert.deepEqual(await Promise.all(waiting), ["first", "first", "first"]);
  await clock.advance(HOUR_MS - 5 * 60_000 - 1);
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 1);
  assert.deepEqual(renewals, ["success"]);
});

Deno.test("RenewedCredential renews five minutes early, while the old one serves", async () => {
  const { clock, asked, token, answer } = bench();
  const first = token.get(never);
  answer("first");
  await first;
  await clock.advance(HOUR_MS - 5 * 60_000);
  assert.equal(await token.get(never), "first");
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 2);
  answer("second");
  await clock.settle();
  assert.equal(await token.get(never), "second");
});

Deno.test("RenewedCredential outlives failed renewals to the end of the old one", async () => {
  const { clock, renewals, asked, token, answer } = bench();
  const first = token.get(never);
  answer("first");
  await first;
  await clock.advance(HOUR_MS - 5 * 60_000);
  for (let round = 0; round < 3; round += 1) {
    assert.equal(await token.get(never), "first");
    asked.at(-1)?.reject(new Error("The issuer is down"));
    await clock.settle();
    assert.equal(await token.get(never), "first");
    await clock.advance(30_000);
  }
  assert.equal(asked.length, 4);
  await clock.advance(HOUR_MS);
  const last = token.get(never);
  asked.at(-1)?.reject(new Error("The issuer is still down"));
  await assert.rejects(last, /still down/);
  assert.deepEqual(renewals, ["success", "failure", "failure", "failure", "failure"]);
});

Deno.test("RenewedCredential does not let one caller's abort fail the others", async () => {
  const { token, answer } = bench();
  const controller = new AbortController();
  const first = token.get(controller.signal);
  const second = token.get(never);
  const reason = new Error("No longer wanted");
  controller.abort(reason);
  await assert.rejects(first, reason);
  answer("shared");
  assert.equal(await second, "shared");
});

Deno.test("RenewedCredential gives up on an issuer that does not answer", async () => {
  const { clock, renewals, token } = bench();
  const waiting = assert.rejects(token.get(never), /does not answer/);
  await clock.advance(30_000);
  await waiting;
  assert.deepEqual(renewals, ["failure"]);
  assert.equal(clock.sleeping, 0);
});

Deno.test("RenewedCredential asks anew for a token that the service refused", async () => {
  const { asked, token, answer } = bench();
  const first = token.get(never);
  answer("revoked");
  await first;
  token.discard("some older one");
  assert.equal(await token.get(never), "revoked");
  token.discard("revoked");
  const second = token.get(never);
  assert.equal(asked.length, 2);
  answer("fresh");
  assert.equal(await second, "fresh");
});

Deno.test("RenewedCredential renews a short-lived one when a quarter is left", async () => {
  const { clock, asked, token, answer } = bench();
  const first = token.get(never);
  answer("first", 20_000);
  await first;
  await clock.advance(14_999);
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 1);
  await clock.advance(1);
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 2);
  answer("second", 20_000);
  await clock.settle();
  assert.equal(await token.get(never), "second");
});

Deno.test("RenewedCredential never renews one that does not end", async () => {
  const { clock, asked, token } = bench();
  const first = token.get(never);
  asked[0]?.resolve({ value: "for ever", expiresMs: Infinity });
  await first;
  await clock.advance(1000 * HOUR_MS);
  assert.equal(await token.get(never), "for ever");
  assert.equal(asked.length, 1);
});
