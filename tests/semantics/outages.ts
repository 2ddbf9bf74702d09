import { deepEqual, equal, notEqual } from "node:assert/strict";
import { ERRNO } from "../../cache/platform/errno.ts";
import { KNOWN_FRESH_MS, Offline, PATIENCE_MS } from "../../mount/fs/offline.ts";
import { cachePlace } from "../support/cache_process.ts";
import { newObject } from "../support/cached_rows.ts";
import { eventually } from "../support/eventually.ts";
import { FileSystemFixture, SETTINGS } from "../support/file_system.ts";
import { NamesPlace } from "../support/known_names.ts";
import { Mounted } from "../support/mounted.ts";
import { createPlace } from "../support/place.ts";
import { failing } from "../support/scripted_backend.ts";
import { namesIn, type Sentence, sentence, version, type World } from "./world.ts";

const OFFLINE_TTL_MS = 3_600_000;
const LISTED = ["a", "b"];

/** A file system over what `place` knows; its store was listed, and then is as `code` says. */
async function outage(place: NamesPlace, code: "unavailable" | "denied") {
  const { signal } = new AbortController();
  const fixture = new FileSystemFixture(SETTINGS, ["data"], undefined, (backend, clock, logger) => {
    const names = place.names(clock);
    return new Offline({ backend, clock, logger, names, signal, offlineTtlMs: OFFLINE_TTL_MS });
  });
  fixture.seed(...LISTED);
  const { node } = await fixture.find("data");
  await fixture.names(node);
  await fixture.clock.advance(SETTINGS.staleTtlMs);
  const { steps } = fixture.store().scripted;
  steps.push(...Array.from({ length: 100 }, () => failing(code)));
  return { fixture, node, steps };
}

/** What looking up `name` in an outage ends with; 0 when it is found. */
async function lookup(name: string, code: "unavailable" | "denied"): Promise<number> {
  await using place = await NamesPlace.open();
  place.index.insert({ ...newObject("unlisted/known"), backend: "data" });
  const { fixture, node } = await outage(place, code);
  const [parent, child] = name.includes("/") ? name.split("/") : [null, name];
  const directory = parent === null ? node : (await fixture.find(`data/${parent}`)).node;
  const reply = await fixture.lookup(directory, child ?? "");
  if (reply.kind === "absent") return ERRNO.ENOENT;
  return reply.kind === "error" ? reply.errno : 0;
}

/** Reads from a mounted store, and looks at it once it is down: at that mount, or the next one. */
async function lookInOutage({ remote }: World, started: "before" | "during"): Promise<void> {
  await using cache = await cachePlace();
  await using place = await createPlace();
  const container = `outage-${crypto.randomUUID()}`;
  await remote.container(container, { "sub/read": version(1), "sub/other": version(2) });
  const backend = remote.backend(container, "proxied", { timeout: "1s", mount_path: "kept" });
  const config = { backends: [backend], cache: { path: cache.path, stale_ttl: "0" } };
  const settings = { config, variables: remote.variables };
  try {
    {
      await using mounted = await Mounted.start(place, settings);
      await showsWhatIsKept(mounted);
      await eventually("it is kept", async () => {
        const bytes = (await mounted.metrics()).get("warpdrive_cache_size_bytes");
        return bytes === version(1).length;
      });
      remote.proxy.refuse();
      if (started === "before") return await showsWhatIsKept(mounted);
      await mounted.stop("SIGTERM");
    }
    await using mounted = await Mounted.start(place, settings);
    await showsWhatIsKept(mounted);
  } finally {
    await remote.proxy.accept();
  }
}

async function showsWhatIsKept({ path }: Mounted): Promise<void> {
  deepEqual(await namesIn(`${path}/kept/sub`), ["other", "read"]);
  deepEqual(await Deno.readFile(`${path}/kept/sub/read`), version(1));
}

export const OUTAGES: readonly Sentence[] = [
  sentence(
    "What is cached of a store stays listable and readable while the store is down.",
    (world) => lookInOutage(world, "before"),
  ),
  sentence(
    "It does so, too, when the mount is started while the store is down.",
    (world) => lookInOutage(world, "during"),
  ),
  sentence(
    "A name is ENOENT in an outage where the last listing of its whole directory lacks it.",
    async () => {
      equal(await lookup("a", "unavailable"), 0);
      equal(await lookup("missing", "unavailable"), ERRNO.ENOENT);
    },
  ),
  sentence(
    "A name that is neither cached nor in a directory that was listed is EIO or ETIMEDOUT.",
    async () => {
      equal(await lookup("unlisted/known", "unavailable"), 0);
      equal(await lookup("unlisted/missing", "unavailable"), ERRNO.EIO);
    },
  ),
  sentence("What a store refuses is not shown from the cache.", async () => {
    equal(await lookup("a", "denied"), ERRNO.EACCES);
  }),
  sentence(
    "Where a name is known, a store that says nothing is waited for five seconds at most.",
    async () => {
      await using place = await NamesPlace.open();
      const { fixture, node, steps } = await outage(place, "unavailable");
      steps.splice(0, Infinity, { kind: "hang", afterBytes: 0 });
      let reply = "none";
      const looking = fixture.lookup(node, "a").then(({ kind }) => reply = kind);
      equal(PATIENCE_MS, 5_000);
      await fixture.clock.advance(PATIENCE_MS - 1);
      equal(reply, "none");
      await fixture.clock.advance(1);
      await looking;
      equal(reply, "entry");
    },
  ),
  sentence(
    "Known names serve for `offline_ttl` after their store was first found silent.",
    async () => {
      await using place = await NamesPlace.open();
      const { fixture, node } = await outage(place, "unavailable");
      deepEqual(await fixture.names(node), LISTED);
      await fixture.clock.advance(OFFLINE_TTL_MS - 1);
      deepEqual(await fixture.names(node), LISTED);
      await fixture.clock.advance(KNOWN_FRESH_MS);
      equal(await fixture.errno({ op: "lookup", name: "a" }, node), ERRNO.EIO);
    },
  ),
  sentence(
    "Names are asked for again one second after a store was found to be back.",
    async () => {
      await using place = await NamesPlace.open();
      const { fixture, node, steps } = await outage(place, "unavailable");
      const old = await fixture.find("data/a");
      steps.length = 0;
      fixture.seed("a", "new");
      await fixture.clock.advance(1_000);
      notEqual((await fixture.find("data/a")).node, old.node);
      deepEqual(await fixture.names(node), [...LISTED, "new"]);
    },
  ),
];
