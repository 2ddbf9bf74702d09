import { deepEqual, equal, notEqual } from "node:assert/strict";
import { newObject } from "../../tests/support/cached_rows.ts";
import {
  FileSystemFixture,
  type FileSystemSettings,
  SETTINGS,
} from "../../tests/support/file_system.ts";
import { NamesPlace } from "../../tests/support/known_names.ts";
import { failing } from "../../tests/support/scripted_backend.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { ROOT_NODE } from "../fuse/ids.ts";
import type { NodeId } from "../fuse/messages.ts";
import { KNOWN_FRESH_MS, Offline, PATIENCE_MS, SILENT_PATIENCE_MS } from "./offline.ts";

const OFFLINE_TTL_MS = 3_600_000;
/** Long enough for listings to be written. */
const WRITTEN_MS = 2_000;
const HANGS = { kind: "hang", afterBytes: 0 } as const;

/** A process that serves `data`, a store of its own, and knows what `place` does. */
function process(
  place: NamesPlace,
  settings: Partial<FileSystemSettings> = {},
  offlineTtlMs = OFFLINE_TTL_MS,
): FileSystemFixture {
  const mount = new AbortController();
  return new FileSystemFixture(
    { ...SETTINGS, ...settings },
    ["data"],
    undefined,
    (backend, clock, logger) =>
      new Offline({
        ...{ backend, clock, logger, offlineTtlMs },
        names: place.names(clock),
        signal: mount.signal,
      }),
  );
}

/** From now on the store of `fixture` answers nothing, `times` times. */
function fails(fixture: FileSystemFixture, code: Parameters<typeof failing>[0], times = 1_000) {
  fixture.store().scripted.steps.push(...Array.from({ length: times }, () => failing(code)));
}

function answers(fixture: FileSystemFixture): void {
  fixture.store().scripted.steps.length = 0;
}

/** Names in the directory, or the error number that listing it ends with. */
async function list(fixture: FileSystemFixture, node: NodeId): Promise<readonly string[] | number> {
  const handle = await fixture.open(node, "opendir");
  const first = await fixture.readDirectory(handle, 2);
  await fixture.send({ op: "releasedir", handle });
  return typeof first === "number" ? first : await fixture.names(node);
}

/** A process with a store that holds `a`, `b` and `d/x`, all of which was listed and written. */
async function listed(
  place: NamesPlace,
  settings: Partial<FileSystemSettings> = {},
  offlineTtlMs = OFFLINE_TTL_MS,
) {
  const fixture = process(place, settings, offlineTtlMs);
  fixture.seed("a", "b", "d/x");
  const data = (await fixture.find("data")).node;
  const d = (await fixture.find("data/d")).node;
  for (const node of [data, d]) await fixture.names(node);
  await fixture.clock.advance(WRITTEN_MS);
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  return { fixture, data, d };
}

/** A row of `data` as the cache has it. */
function cached(path: string, version: string, seconds: number) {
  const modified = { seconds, nanoseconds: 0 };
  return { ...newObject(path, version), backend: "data", modified };
}

for (const code of ["unavailable", "timeout", "throttled", "degraded"] as const) {
  Deno.test(`names come from the last listing while the store is ${code}`, async () => {
    await using place = await NamesPlace.open();
    const { fixture, data, d } = await listed(place);
    fails(fixture, code);
    deepEqual(await list(fixture, data), ["a", "b", "d"]);
    deepEqual(await list(fixture, d), ["x"]);
    const reply = await fixture.lookup(data, "a");
    equal(reply.kind === "entry" ? reply.entry.attributes.sizeBytes : null, 1);
  });
}

Deno.test("a store that refuses answers: what it denies is not shown from memory", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "denied");
  equal(await list(fixture, data), ERRNO.EACCES);
  equal(await fixture.errno({ op: "lookup", name: "a" }, data), ERRNO.EACCES);
});

Deno.test("a process that never reached the store shows what an earlier one listed", async () => {
  await using place = await NamesPlace.open();
  await listed(place);
  const fixture = process(place);
  fails(fixture, "unavailable");
  const { node } = await fixture.find("data");
  deepEqual(await list(fixture, node), ["a", "b", "d"]);
  deepEqual(await list(fixture, (await fixture.find("data/d")).node), ["x"]);
  equal((await fixture.find("data/d/x")).attributes.sizeBytes, 3);
});

Deno.test("a name is absent in an outage only where the whole directory was listed", async () => {
  await using place = await NamesPlace.open();
  await listed(place);
  place.index.insert(cached("unlisted/a/b", "v1", 1));
  const fixture = process(place);
  fails(fixture, "unavailable");
  const { node } = await fixture.find("data");
  deepEqual(await fixture.lookup(node, "missing"), { kind: "absent", validMs: KNOWN_FRESH_MS });
  const unlisted = await fixture.find("data/unlisted");
  deepEqual(await list(fixture, unlisted.node), ["a"]);
  equal(await fixture.errno({ op: "lookup", name: "missing" }, unlisted.node), ERRNO.EIO);
  const deeper = await fixture.find("data/unlisted/a/b");
  equal(deeper.attributes.sizeBytes, 40 * 2 ** 20);
});

Deno.test("a directory of which nothing is known fails, and is not empty", async () => {
  await using place = await NamesPlace.open();
  const fixture = process(place);
  fixture.seed("d/x");
  const { node } = await fixture.find("data");
  await fixture.names(node);
  const d = await fixture.find("data/d");
  fails(fixture, "unavailable");
  equal(await list(fixture, d.node), ERRNO.EIO);
  equal(await fixture.errno({ op: "lookup", name: "x" }, d.node), ERRNO.EIO);
});

Deno.test("what was cached after a listing is shown with it, what is older is not", async () => {
  await using place = await NamesPlace.open();
  const at = { fetchedMs: 5_000_000, complete: true };
  const entries = ["a", "b"].map((name) => ({
    ...{ kind: "object" as const, name, sizeBytes: 7, version: "listed", etag: null, posix: null },
    modified: { seconds: 3_000, nanoseconds: 0 },
  }));
  place.index.putListing("data", "", { ...at, entries });
  for (const name of ["a", "b", "c", "deleted"]) {
    const seconds = name === "a" ? 2_000 : name === "c" ? 6_000 : 4_000;
    place.index.insert(cached(name, "cached", seconds));
  }
  const fixture = process(place);
  fails(fixture, "unavailable");
  const { node } = await fixture.find("data");
  deepEqual(await list(fixture, node), ["a", "b", "c"]);
  equal((await fixture.find("data/a")).attributes.sizeBytes, 7);
  equal((await fixture.find("data/b")).attributes.sizeBytes, 40 * 2 ** 20);
  equal((await fixture.lookup(node, "deleted")).kind, "absent");
});

Deno.test("a listing that breaks off is finished from what is known", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place, { pageSize: 2 });
  fixture.seed("aa");
  const handle = await fixture.open(data, "opendir");
  const [first] = [await fixture.readDirectory(handle, 2)];
  fails(fixture, "unavailable");
  const rest = await fixture.readWhole(
    handle,
    typeof first === "number" ? 0 : first.at(-1)?.cookie,
  );
  const names = [...typeof first === "number" ? [] : first, ...rest].map(({ name }) => name);
  deepEqual(names, ["a", "aa", "b", "d"]);
});

Deno.test("answers from what is known are believed for a moment only", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "degraded");
  await fixture.names(data);
  const reply = await fixture.lookup(data, "a");
  equal(reply.kind === "entry" ? reply.entry.entryValidMs : null, KNOWN_FRESH_MS);
  equal(reply.kind === "entry" ? reply.entry.attributesValidMs : null, KNOWN_FRESH_MS);
  answers(fixture);
  fixture.seed("new");
  equal((await fixture.lookup(data, "new")).kind, "absent");
  await fixture.clock.advance(KNOWN_FRESH_MS);
  equal((await fixture.lookup(data, "new")).kind, "entry");
  deepEqual(await fixture.names(data), ["a", "b", "d", "new"]);
});

Deno.test("an object that changed in an outage is another version after it", async () => {
  await using place = await NamesPlace.open();
  const { fixture } = await listed(place);
  fails(fixture, "unavailable");
  const before = await fixture.find("data/a");
  fixture.seed("a");
  equal((await fixture.find("data/a")).node, before.node);
  answers(fixture);
  await fixture.clock.advance(KNOWN_FRESH_MS);
  notEqual((await fixture.find("data/a")).node, before.node);
});

Deno.test("a store that says nothing is waited for seconds where names are known", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fixture.store().scripted.steps.push(HANGS);
  const looking = fixture.lookup(data, "a");
  let found = false;
  const done = looking.then(() => found = true);
  await fixture.clock.advance(PATIENCE_MS - 1);
  equal(found, false);
  await fixture.clock.advance(1);
  await done;
  // While that question is open nobody else waits at all.
  const calls = fixture.calls("stat") + fixture.calls("list");
  await fixture.clock.advance(KNOWN_FRESH_MS);
  deepEqual(await list(fixture, data), ["a", "b", "d"]);
  equal(fixture.calls("stat") + fixture.calls("list"), calls);
});

Deno.test("a silent store is asked again in seconds, though an older question hangs", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fixture.store().scripted.steps.push(HANGS, HANGS);
  const first = fixture.lookup(data, "a");
  await fixture.clock.advance(PATIENCE_MS);
  await first;
  await fixture.clock.advance(PATIENCE_MS);
  const second = fixture.lookup(data, "b");
  await fixture.clock.advance(SILENT_PATIENCE_MS);
  equal((await second).kind, "entry");
  equal(fixture.calls("stat"), 3);
  fixture.seed("new");
  await fixture.clock.advance(PATIENCE_MS);
  equal((await fixture.lookup(data, "new")).kind, "entry");
});

Deno.test("what nobody knows waits for the store, and fails as it fails", async () => {
  await using place = await NamesPlace.open();
  const fixture = process(place);
  const { node } = await fixture.find("data");
  fixture.store().scripted.steps.push(HANGS);
  const caller = new AbortController();
  const looking = fixture.send({ op: "lookup", name: "a" }, node, caller.signal);
  await fixture.clock.advance(60_000);
  caller.abort();
  await fixture.clock.settle();
  const reply = await looking;
  equal(reply.kind === "error" ? reply.errno : 0, ERRNO.EINTR);
});

Deno.test("what was cached between two outages is known in the second one", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "unavailable");
  equal((await fixture.lookup(data, "later")).kind, "absent");
  answers(fixture);
  await fixture.clock.advance(KNOWN_FRESH_MS);
  fixture.seed("later");
  equal((await fixture.lookup(data, "later")).kind, "entry");
  place.index.insert(cached("later", "v9", 1_700_000_000));
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  fails(fixture, "unavailable");
  equal((await fixture.lookup(data, "later")).kind, "entry");
});

Deno.test("known names serve for offline_ttl, and errors come after it", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "degraded");
  deepEqual(await list(fixture, data), ["a", "b", "d"]);
  await fixture.clock.advance(OFFLINE_TTL_MS - KNOWN_FRESH_MS);
  deepEqual(await list(fixture, data), ["a", "b", "d"]);
  await fixture.clock.advance(KNOWN_FRESH_MS);
  equal(await list(fixture, data), ERRNO.EIO);
  equal(await fixture.errno({ op: "lookup", name: "a" }, data), ERRNO.EIO);
  const said = fixture.records.filter(({ level }) => level !== "debug").map((record) =>
    record["message"]
  );
  deepEqual(said, [
    "Answer from what is known: the store does not answer",
    "Known names are too old to be shown",
  ]);
});

Deno.test("offline_ttl goes on over a restart, and begins anew after an answer", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "unavailable");
  await list(fixture, data);
  await fixture.clock.settle();
  const next = process(place);
  await next.clock.advance(fixture.clock.wallMs() + OFFLINE_TTL_MS);
  fails(next, "unavailable");
  equal(await list(next, (await next.find("data")).node), ERRNO.EIO);
  answers(next);
  equal((await next.lookup((await next.find("data")).node, "gone")).kind, "absent");
  await next.clock.advance(SETTINGS.staleTtlMs);
  fails(next, "unavailable");
  deepEqual(await list(next, (await next.find("data")).node), ["a", "b", "d"]);
});

Deno.test("an outage is said once, and its end", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "unavailable");
  for (let round = 0; round < 3; round += 1) {
    await list(fixture, data);
    await fixture.clock.advance(KNOWN_FRESH_MS);
  }
  answers(fixture);
  await list(fixture, data);
  const said = fixture.records.map((
    record,
  ) => [record["level"], record["message"], record["backend"]]);
  deepEqual(said, [
    ["warn", "Answer from what is known: the store does not answer", "data"],
    ["info", "Ask the store for names again: it answers", "data"],
  ]);
});

Deno.test("a listing that has not changed is not written again", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  deepEqual(place.written, ["", "d"]);
  await fixture.names(data);
  await fixture.clock.advance(WRITTEN_MS + SETTINGS.staleTtlMs);
  deepEqual(place.written, ["", "d"]);
  fixture.seed("a");
  await fixture.names(data);
  await fixture.clock.advance(WRITTEN_MS);
  deepEqual(place.written, ["", "d", ""]);
});

Deno.test("an outage is no reason to write what is known again", async () => {
  await using place = await NamesPlace.open();
  const { fixture, data } = await listed(place);
  fails(fixture, "unavailable");
  await fixture.names(data);
  await fixture.clock.advance(WRITTEN_MS);
  deepEqual(place.written, ["", "d", "/"]);
  equal((await fixture.lookup(ROOT_NODE, "data")).kind, "entry");
});
