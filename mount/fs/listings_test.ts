import assert from "node:assert/strict";
import { AdaptiveLimit } from "../../cache/backend/guard/adaptive_limit.ts";
import { LocalBackend } from "../../cache/backend/local/backend.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import { FetchBuffers } from "../../cache/fetch/fetch_buffers.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { volumeOf } from "../volumes.ts";
import type { Listing } from "./listing.ts";
import { Listings } from "./listings.ts";

const libc = Libc.open();
const buffers = new FetchBuffers(1024 * 1024);
const never = new AbortController().signal;
/** A time long past for any file system. */
const LONG_AGO = 1_000_000_000;

async function names(listing: Listing): Promise<string[]> {
  const read: string[] = [];
  for (let position = 0;;) {
    const listed = listing.at(position);
    if (listed === null) return read;
    if (listed === undefined) {
      await listing.loadTo(position);
      continue;
    }
    if (listed !== "gone") read.push(listed.name);
    position += 1;
  }
}

/** Listings of a store with a few objects in each of five directories. */
function stored(entriesMax: number) {
  const clock = new FakeClock();
  const memory = new MemoryBackend("store", { pageSize: 10, pieceBytes: 1 }, clock);
  for (const directory of "abcde") {
    for (const name of "123") memory.seed(`${directory}/${name}`, new Uint8Array(1));
  }
  const settings = { name: "store", mountPath: "store", timeoutMs: 30_000 };
  const opened = { backend: memory, limit: new AdaptiveLimit(64), files: null };
  const volume = volumeOf(settings, opened, null, { clock, libc, buffers });
  const listings = new Listings({
    clock,
    staleTtlMs: 60_000,
    entriesMax,
    onUnlistable: () => undefined,
    signal: never,
  });
  return { clock, volume, listings };
}

Deno.test("Listings keep what is fresh, and give it to lookups", async () => {
  const { clock, volume, listings } = stored(1_000);
  assert.equal(listings.fresh(volume, "a"), null);
  const listing = listings.open(volume, "a", null);
  assert.equal(listings.fresh(volume, "a"), listing);
  assert.equal(listings.open(volume, "a", null), listing);
  await clock.advance(60_000);
  assert.equal(listings.fresh(volume, "a"), null);
  assert.notEqual(listings.open(volume, "a", null), listing);
});

Deno.test("Listings forget a directory of which something turned out to be wrong", () => {
  const { volume, listings } = stored(1_000);
  const listing = listings.open(volume, "a", null);
  listings.invalidate(volume, "a");
  assert.equal(listings.fresh(volume, "a"), null);
  assert.notEqual(listings.open(volume, "a", null), listing);
});

Deno.test("Listings hold no more names than they may; the least recently used go", async () => {
  const { volume, listings } = stored(14);
  for (const directory of ["a", "b"]) await names(listings.open(volume, directory, null));
  listings.open(volume, "a", null);
  for (const directory of ["c", "d"]) await names(listings.open(volume, directory, null));
  const kept = [..."abcd"].filter((directory) => listings.fresh(volume, directory) !== null);
  assert.ok(!kept.includes("b") && kept.includes("d"), `Kept ${kept}`);
});

Deno.test("Listings hold no more directories than fit, those without names included", async () => {
  const { volume, listings } = stored(100);
  for (let number = 0; number < 100; number += 1) {
    await names(listings.open(volume, `empty/${number}`, null));
  }
  const paths = Array.from({ length: 100 }, (_, number) => `empty/${number}`);
  const kept = paths.filter((path) => listings.fresh(volume, path) !== null);
  assert.ok(kept.length > 10 && kept.length < 50, `Kept ${kept.length}`);
  assert.equal(kept.at(-1), "empty/99");
});

/** Listings of a directory on this machine. */
async function local() {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-listings-" });
  const clock = new FakeClock();
  const backend = new LocalBackend("local", root, libc);
  const settings = { name: "local", mountPath: "local", timeoutMs: 30_000 };
  const opened = { backend, limit: new AdaptiveLimit(64), files: backend };
  const volume = volumeOf(settings, opened, null, { clock, libc, buffers });
  const wall = { offsetMs: 0 };
  const listings = new Listings({
    clock: {
      wallMs: () => Date.now() + wall.offsetMs,
      monotonicMs: () => clock.monotonicMs(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    staleTtlMs: 60_000,
    entriesMax: 1_000,
    onUnlistable: () => undefined,
    signal: never,
  });
  return {
    root,
    wall,
    async open(): Promise<Listing> {
      const entry = await backend.stat("", never);
      assert.ok(entry?.kind === "directory");
      return listings.open(volume, "", entry);
    },
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("a local directory is listed again when its own times say that it changed", async () => {
  await using at = await local();
  at.wall.offsetMs = 10_000;
  const first = await at.open();
  assert.equal(await at.open(), first);
  await Deno.writeTextFile(`${at.root}/new`, "");
  const second = await at.open();
  assert.notEqual(second, first);
  assert.deepEqual(await names(second), ["new"]);
  await Deno.utime(at.root, LONG_AGO, LONG_AGO);
  assert.notEqual(await at.open(), second);
});

Deno.test("a local directory that just changed is listed again for certain", async () => {
  await using at = await local();
  await Deno.writeTextFile(`${at.root}/a`, "");
  // A change within the granularity of a time stamp leaves it as it is.
  assert.notEqual(await at.open(), await at.open());
});
