import assert from "node:assert/strict";
import { IssuerError, issuerFault } from "./issuer_error.ts";
import { type Issued, RenewedCredential } from "./renewed_credential.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { SeededRandom } from "../../../tests/support/seeded_random.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const LEAD_MS = 5 * 60_000;

function bench(random: () => number = () => 0) {
  const clock = new FakeClock();
  const renewals: string[] = [];
  const asked: PromiseWithResolvers<Issued<string>>[] = [];
  const issue = () => {
    const answer = Promise.withResolvers<Issued<string>>();
    asked.push(answer);
    return answer.promise;
  };
  const onRenewal = (status: string) => renewals.push(status);
  const token = new RenewedCredential("entra", issue, { clock, random, onRenewal });
  const refuse = (status: number) =>
    asked.at(-1)?.reject(new IssuerError(`The issuer answered ${status}`, status));
  const answer = (name: string, lifetimeMs = HOUR_MS) =>
    asked.at(-1)?.resolve({ value: name, expiresMs: clock.wallMs() + lifetimeMs });
  return { clock, renewals, asked, token, answer, refuse };
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
  const waiting = token.get(never).then(() => null, (error: unknown) => error);
  await clock.advance(30_000);
  const words = { what: "AWS credentials", hint: "Check the policy", obtainedBefore: false };
  const fault = issuerFault(await waiting, words);
  assert.equal(fault.code, "unavailable", "silence is no refusal");
  assert.equal(fault.message, "no AWS credentials (the issuer does not answer)");
  assert.match(fault.hint ?? "", /^Check the network to the issuer.*HTTPS_PROXY/);
  assert.deepEqual(renewals, ["failure"]);
  assert.equal(clock.sleeping, 0);
});

Deno.test("RenewedCredential asks anew for a token that the service refused", async () => {
  const { asked, token, answer } = bench();
  const first = token.get(never);
  answer("revoked");
  await first;
  assert.equal(await token.another("some older one", never), "revoked");
  const second = token.another("revoked", never);
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

Deno.test("RenewedCredential spreads renewals over the fifth minute before the end", async () => {
  const seeded = new SeededRandom(7);
  const random = () => seeded.next();
  const moments = new Set<number>();
  for (let run = 0; run < 20; run += 1) {
    const { clock, asked, token, answer } = bench(random);
    const first = token.get(never);
    answer("first");
    await first;
    await clock.advance(HOUR_MS - LEAD_MS - 1);
    await token.get(never);
    assert.equal(asked.length, 1, "not earlier than five minutes before");
    while (asked.length === 1) {
      await clock.advance(5_000);
      await token.get(never);
    }
    moments.add(clock.wallMs());
    assert.ok(clock.wallMs() <= HOUR_MS - LEAD_MS * 4 / 5 + 5_000, "not later than four");
  }
  assert.ok(moments.size > 5, `renewed at ${[...moments].join(", ")}`);
});

Deno.test("RenewedCredential asks a busy issuer again after 1, 2 and 4 s only", async () => {
  for (const status of [429, 500, 503]) {
    const { clock, renewals, asked, token, refuse } = bench();
    const waiting = assert.rejects(token.get(never), new RegExp(`answered ${status}`));
    for (const [index, pauseMs] of [1_000, 2_000, 4_000].entries()) {
      refuse(status);
      await clock.advance(pauseMs - 1);
      assert.equal(asked.length, index + 1);
      await clock.advance(1);
      assert.equal(asked.length, index + 2);
    }
    refuse(status);
    await waiting;
    assert.equal(asked.length, 4);
    assert.deepEqual(renewals, ["failure", "failure", "failure", "failure"]);
  }
});

Deno.test("RenewedCredential takes any other refusal at once", async () => {
  for (const status of [400, 401, 403, 404, 502]) {
    const { clock, asked, token, refuse } = bench();
    const waiting = assert.rejects(token.get(never), new RegExp(`answered ${status}`));
    refuse(status);
    await waiting;
    await clock.advance(10_000);
    assert.equal(asked.length, 1);
  }
});

Deno.test("RenewedCredential serves the old one while the issuer is busy", async () => {
  const { clock, asked, token, answer, refuse } = bench();
  const first = token.get(never);
  answer("first", 20_000);
  await first;
  await clock.advance(15_000);
  assert.equal(await token.get(never), "first");
  refuse(503);
  await clock.advance(1_000);
  assert.equal(await token.get(never), "first");
  refuse(503);
  await clock.advance(2_000);
  assert.equal(await token.get(never), "first");
  assert.equal(asked.length, 4);
  answer("second", 20_000);
  await clock.settle();
  assert.equal(await token.get(never), "second");
});

Deno.test("RenewedCredential gives an issuer that refuses a second of rest", async () => {
  const { clock, asked, token, answer, refuse } = bench();
  const first = assert.rejects(token.get(never), /answered 401/);
  refuse(401);
  await first;
  for (let call = 0; call < 5; call += 1) await assert.rejects(token.get(never), /answered 401/);
  assert.equal(asked.length, 1);
  await clock.advance(1_000);
  const second = token.get(never);
  assert.equal(asked.length, 2);
  answer("again");
  assert.equal(await second, "again");
});

Deno.test("RenewedCredential does not ask anew for each refused request", async () => {
  const { clock, asked, token, answer } = bench();
  const first = token.get(never);
  answer("first");
  await first;
  const refused = [token.another("first", never), token.another("first", never)];
  answer("second");
  assert.deepEqual(await Promise.all(refused), ["second", "second"]);
  assert.equal(await token.another("first", never), "second", "there is a newer one already");
  assert.equal(await token.another("second", never), null, "it is no newer one that is wanted");
  assert.equal(await token.get(never), "second");
  assert.equal(asked.length, 2);
  await clock.advance(10_000);
  const third = token.another("second", never);
  answer("third");
  assert.equal(await third, "third");
});

Deno.test("RenewedCredential leaves a token to others when one request is refused", async () => {
  const { clock, asked, token, answer, refuse } = bench();
  const first = token.get(never);
  answer("first");
  await first;
  const another = assert.rejects(token.another("first", never), /answered 401/);
  assert.equal(await token.get(never), "first", "nobody waits for what one request was refused");
  refuse(401);
  await another;
  assert.equal(await token.get(never), "first", "it has not ended");
  assert.equal(await token.another("first", never), null, "the issuer gets a second of rest");
  await clock.advance(1_000);
  const second = token.another("first", never);
  answer("second");
  assert.equal(await second, "second");
  assert.equal(asked.length, 3);
});

Deno.test("RenewedCredential asks again for one that may be replaced", async () => {
  const { clock, asked, token } = bench();
  const first = token.get(never);
  asked[0]?.resolve({ value: "one", expiresMs: Infinity, renewAfterMs: 10_000 });
  assert.equal(await first, "one");
  await clock.advance(10_000);
  assert.equal(await token.get(never), "one");
  asked[1]?.reject(new Error("The file is not there"));
  await clock.settle();
  await clock.advance(HOUR_MS);
  assert.equal(await token.get(never), "one", "it has not ended");
  asked[2]?.resolve({ value: "two", expiresMs: Infinity, renewAfterMs: 10_000 });
  await clock.settle();
  assert.equal(await token.get(never), "two");
  const same = token.another("two", never);
  asked[3]?.resolve({ value: "two", expiresMs: Infinity, renewAfterMs: 10_000 });
  assert.equal(await same, null, "it is still the same");
  assert.equal(token.expiresMs, null);
});

Deno.test("RenewedCredential says when it ends, if it does", async () => {
  const { clock, asked, token, answer } = bench();
  assert.equal(token.expiresMs, null);
  const first = token.get(never);
  answer("first");
  await first;
  assert.equal(token.expiresMs, HOUR_MS);
  await clock.advance(HOUR_MS);
  const second = token.get(never);
  asked[1]?.resolve({ value: "for ever", expiresMs: Infinity });
  await second;
  assert.equal(await token.another("for ever", never), null);
});

Deno.test("RenewedCredential uses what a wrong clock takes for ended for a second", async () => {
  const { clock, asked, token, answer } = bench();
  await clock.advance(HOUR_MS);
  const first = token.get(never);
  answer("late", -HOUR_MS);
  assert.equal(await first, "late");
  assert.equal(await token.get(never), "late");
  assert.equal(asked.length, 1);
});
