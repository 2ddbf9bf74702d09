import assert from "node:assert/strict";
import { EntraToken } from "./entra_token.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

function bench() {
  const clock = new FakeClock();
  const renewals: string[] = [];
  const asked: PromiseWithResolvers<{ token: string; expiresOnTimestamp: number }>[] = [];
  const credential = {
    getToken: () => {
      const answer = Promise.withResolvers<{ token: string; expiresOnTimestamp: number }>();
      asked.push(answer);
      return answer.promise;
    },
  };
  const token = new EntraToken(credential, "scope", {
    clock,
    onRenewal: (status) => renewals.push(status),
  });
  const answer = (name: string, lifetimeMs = HOUR_MS) =>
    asked.at(-1)?.resolve({ token: name, expiresOnTimestamp: clock.wallMs() + lifetimeMs });
  return { clock, renewals, asked, token, answer };
}

Deno.test("EntraToken asks once for any number of callers, and keeps what it got", async () => {
  const { clock, renewals, asked, token, answer } = bench();
  const waiting = [token.get(never), token.get(never), token.get(never)];
  answer("first");
  assert.deepEqual(await Promise.all(waiting), ["first", "first", "first"]);
  await clock.advance(HOUR_MS - 5 * 60_000 - 1);
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 1);
  assert.deepEqual(renewals, ["success"]);
});

Deno.test("EntraToken renews five minutes early, while the old token still serves", async () => {
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

Deno.test("EntraToken outlives failed renewals until the token ends, without haste", async () => {
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

Deno.test("EntraToken does not let one caller's abort fail the others", async () => {
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

Deno.test("EntraToken gives up on an issuer that does not answer", async () => {
  const { clock, renewals, token } = bench();
  const waiting = assert.rejects(token.get(never), /does not answer/);
  await clock.advance(30_000);
  await waiting;
  assert.deepEqual(renewals, ["failure"]);
  assert.equal(clock.sleeping, 0);
});

Deno.test("EntraToken asks anew for a token that the service refused", async () => {
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
