import { equal, ok } from "node:assert/strict";
import { TransferRate } from "./transfer_rate.ts";

Deno.test("The rate is that of the last seconds, not of the whole job", () => {
  const rate = new TransferRate(0);
  for (let ms = 0; ms <= 60_000; ms += 100) rate.note(ms * 10, ms);
  equal(rate.perSecond(600_000, 60_000), 10_000);
  for (let ms = 60_000; ms <= 80_000; ms += 100) rate.note(600_000, ms);
  equal(rate.perSecond(600_000, 80_000), 0);
});

Deno.test("A job that has just begun has a rate as soon as time has passed", () => {
  const rate = new TransferRate(5_000);
  equal(rate.perSecond(100, 5_000), 0);
  ok(rate.perSecond(100, 6_000) === 100);
});
