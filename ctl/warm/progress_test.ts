import { deepEqual, equal, ok } from "node:assert/strict";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { WarmStatus } from "../api_warm.ts";
import { progressBar, progressText, WarmProgress } from "./progress.ts";

const MIB = 1 << 20;
const STATUS: WarmStatus = {
  job: "1",
  uid: 0,
  mode: "warm",
  state: "running",
  reason: null,
  detached: false,
  path: "train",
  paths: 1,
  listed: true,
  files_total: 3_000,
  files_done: 1_234,
  files_failed: 0,
  bytes_total: 1_024 * MIB,
  bytes_done: 256 * MIB,
  bytes_skipped: 0,
  bytes_fetched: 256 * MIB,
  in_place: 0,
  bytes_per_second: 512_300_000,
  eta_seconds: 2,
  seconds: 1,
  started: "2026-11-22T20:00:00.000Z",
  ended: null,
};

/** What is written where `isTerminal`, as it is shown at each of `secondsOf`. */
async function written(isTerminal: boolean, secondsOf: readonly number[]): Promise<string[]> {
  const texts: string[] = [];
  const clock = new FakeClock();
  {
    const output = { isTerminal, write: (text: string) => texts.push(text) };
    using progress = new WarmProgress(output, clock, () => 80);
    for (const [index, second] of secondsOf.entries()) {
      await clock.advance((second - (secondsOf[index - 1] ?? 0)) * 1_000);
      progress.show(STATUS);
    }
  }
  return texts;
}

Deno.test("Progress says files, bytes, rate and what is left", () => {
  equal(progressText(STATUS), "1,234/3,000 files | 256 MiB/1 GiB | 512.3 MB/s | ETA 2s");
});

Deno.test("Progress tells what is still being found, what failed, and what it waits for", () => {
  const reason = "Cannot read \x1b[2J";
  const status = { ...STATUS, listed: false, eta_seconds: null, files_failed: 7 };
  equal(
    progressText({ ...status, state: "waiting", reason }),
    "1,234/3,000+ files | 256 MiB/1 GiB+ | 512.3 MB/s | 7 failed | " +
      "waiting: Cannot read \\x1b[2J",
  );
});

Deno.test("A check has no rate", () => {
  const status = { ...STATUS, mode: "check", bytes_per_second: 0, eta_seconds: null } as const;
  equal(progressText(status), "1,234/3,000 files | 256 MiB/1 GiB");
});

Deno.test("A bar takes what a terminal leaves, and never wraps", () => {
  equal(
    progressBar(STATUS, 120),
    "[#######-----------------------]  25%  1,234/3,000 files | 256 MiB/1 GiB | " +
      "512.3 MB/s | ETA 2s",
  );
  equal(
    progressBar(STATUS, 80),
    "[###------------]  25%  1,234/3,000 files | 256 MiB/1 GiB | 512.3 MB/s | ETA 2s",
  );
  equal(progressBar(STATUS, 60), "1,234/3,000 files | 256 MiB/1 GiB | 512.3 MB/s | ETA 2s");
  for (let columns = 10; columns < 130; columns += 1) {
    ok(progressBar(STATUS, columns).length < columns, `${columns}`);
  }
});

Deno.test("Files without bytes have a bar, too", () => {
  const empty = { ...STATUS, bytes_total: 0, bytes_done: 0, files_done: 3_000 };
  ok(progressBar(empty, 120).includes("] 100%  3,000/3,000 files"));
});

Deno.test("Without a terminal there is a plain line every few seconds", async () => {
  const line = `${progressText(STATUS)}\n`;
  deepEqual(await written(false, [0, 0.5, 4.5, 5, 5.5, 9, 10, 21]), [line, line, line]);
});

Deno.test("On a terminal one line changes, and is gone in the end", async () => {
  const line = `\r\x1b[K${progressBar(STATUS, 80)}`;
  deepEqual(await written(true, [0, 0.5]), [line, line, "\r\x1b[K"]);
});
