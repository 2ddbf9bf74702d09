import { deepEqual, ok } from "node:assert/strict";
import { CONTAINER, openBare, startAzureServers } from "./support/azure_place.ts";
import { patternOf, put, read } from "./support/backend_calls.ts";
import { isRead } from "./support/remote_store.ts";
import { stacked, UNCOUNTED } from "./support/stacked.ts";

const KIB = 1024;
const CONTENT = patternOf(256 * KIB, 1);
const RANGE_BYTES = 128 * KIB;
/** Enough for the store to be known, and to pay for the requests that follow. */
const READS_BEFORE = 160;

Deno.test("a range that stalls is asked for again, and read from whoever answers", async (t) => {
  await using servers = await startAzureServers();
  const { azurite, proxy, key } = servers;
  const results: string[] = [];
  const hedge = (_backend: string, result: string) => results.push(result);
  const place = { endpoint: proxy.through(azurite.endpoint), container: CONTAINER, auth: key };
  const opened = stacked(openBare(place), 60_000, { ...UNCOUNTED, hedge });
  await using backend = opened.backend;
  const { version } = await put(backend, "object", CONTENT);

  async function readRange(): Promise<void> {
    const bytes = await read(backend, "object", version, 10, RANGE_BYTES);
    deepEqual(bytes, CONTENT.subarray(10, 10 + RANGE_BYTES));
  }

  for (let count = 0; count < READS_BEFORE; count += 1) await readRange();
  for (const afterBytes of [0, 50_000]) {
    await t.step(`after ${afterBytes} bytes`, async () => {
      results.length = 0;
      const seenBefore = proxy.seen.length;
      proxy.inject({ kind: "stall", afterBytes }, 1, isRead);
      await readRange();
      deepEqual(results, ["won"]);
      const again = proxy.seen.slice(seenBefore).at(1)?.headers.get("range") ?? "";
      const from = Number(/bytes=(\d+)-/.exec(again)?.[1]);
      ok(from >= 10 && from <= 10 + afterBytes, `asked again from byte ${from}`);
    });
  }
});
