/** `GET /v1/explain`. */
import { BackendError, type Entry } from "../../../cache/backend/backend.ts";
import type { CacheState } from "../../../cache/disk/cache_health.ts";
import { residencyKey } from "../../../cache/disk/cache_space.ts";
import type { ObjectDescription } from "../../../cache/operations/object_description.ts";
import type { PlannedPath } from "../../../cache/plan/plan_files.ts";
import type { PlannedObjects } from "../../../cache/plan/planned_objects.ts";
import type { Clock } from "../../../cache/platform/clock.ts";
import { within } from "../../../cache/platform/within.ts";
import { EXPLAIN, type Explanation, versionAnswer } from "../../../ctl/api_explain.ts";
import type { OpenVersion } from "../../fs/files.ts";
import type { Volume } from "../../fs/volume.ts";
import { mayRead, type Readability } from "../../may_read.ts";
import { locate, type MountedTree } from "../../plan_paths.ts";
import type { PlanUse } from "../../plans.ts";
import type { CacheAccess } from "../cache_access.ts";
import { nextOpen } from "../next_open.ts";
import { type Caller, type Refused, refused, type Route, route } from "../route.ts";

/** Longest wait for the store to say what it has. */
const STORE_MS_MAX = 5_000;

/** What an explanation is made of. */
export interface ExplainSources {
  readonly tree: MountedTree;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly readability: Readability;
  /** Null without a cache. */
  readonly cache: ExplainedCache | null;
  /** The kernel takes backing files. */
  readonly passthrough: boolean;
  readonly fileSystem: {
    openVersions(backend: string, path: string): readonly OpenVersion[];
  };
  readonly plans: { usesOf(file: PlannedPath): readonly PlanUse[] };
  readonly clock: Clock;
}

/** The cache as far as it explains. */
export interface ExplainedCache extends CacheAccess {
  readonly cache: Pick<PlannedObjects, "placeOf">;
  readonly health: { readonly state: CacheState };
}

/** What the store has. */
interface Found {
  readonly store: Explanation["store"];
  readonly isDirectory: boolean;
}

const NOTHING = { version: null, size_bytes: null, modified: null };

/** The route. */
export function explainRoute(sources: ExplainSources): Route {
  const access = { sockets: "both", bodyBytesMax: 0 } as const;
  return route(EXPLAIN, access, async ({ path }, caller, signal) => {
    const located = locate(path, sources.tree);
    if (located.kind === "unresolved") return notExplained(path, located.reason);
    const volume = sources.volumes.get(located.at.backend);
    if (volume === undefined) return notExplained(path, "its backend is not mounted");
    const forbidden = whyNot(path, volume, caller, sources);
    if (forbidden !== null) return forbidden;
    const { store, isDirectory } = await askStore(volume, located.at.path, sources.clock, signal);
    if (isDirectory) return notExplained(path, "it is a directory");
    const body = await explanation(path, located.at, volume, store, caller, sources);
    return { kind: "answered", body };
  });
}

/** Any user may ask for what he may read; permissions of local files are their own. */
function whyNot(
  path: string,
  { files }: Volume,
  { uid, gid, groups, socket }: Caller,
  { readability }: ExplainSources,
): Refused | null {
  if (socket === "admin") return null;
  const readable = files === null && mayRead({ uid, gids: [gid, ...groups] }, readability);
  if (readable) return null;
  return refused(
    "forbidden",
    `Explain "${path}": this user may not ask for it by user.sock`,
    "Ask as the user who mounted, as root, or as a member of control.group",
  );
}

async function askStore(
  { backend, files }: Volume,
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Found> {
  const nothing = (state: Explanation["store"]["state"], reason: string | null): Found => ({
    store: { state, reason, ...NOTHING },
    isDirectory: false,
  });
  if (files !== null) return nothing("not_asked", null);
  const over = new AbortController();
  try {
    const asking = backend.stat(path, AbortSignal.any([signal, over.signal]));
    const entry = await within(asking, STORE_MS_MAX, clock, () => new SlowStore());
    return entry === null ? nothing("missing", null) : found(entry);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SlowStore) return nothing("no_answer", "no answer within 5s");
    if (!(error instanceof BackendError)) throw error;
    return nothing("no_answer", error.reason);
  } finally {
    over.abort();
  }
}

class SlowStore extends Error {
  override readonly name = "SlowStore";
}

function found(entry: Entry): Found {
  const isObject = entry.kind === "object";
  return {
    store: {
      state: "found",
      reason: null,
      version: isObject ? entry.version : null,
      size_bytes: isObject ? entry.sizeBytes : null,
      modified: isObject ? isoTime(entry.modified.seconds * 1_000) : null,
    },
    isDirectory: entry.kind === "directory",
  };
}

async function explanation(
  path: string,
  at: PlannedPath,
  volume: Volume,
  store: Explanation["store"],
  { uid, socket }: Caller,
  { cache, fileSystem, passthrough, plans }: ExplainSources,
): Promise<Explanation> {
  const kept = volume.files !== null ? "in_place" : cache === null ? "read_through" : "cached";
  const versions = kept === "cached" && cache !== null
    ? await cache.operations.describe(at.backend, at.path)
    : [];
  const open = fileSystem.openVersions(at.backend, at.path);
  const mayKnow = (other: number) => socket === "admin" || other === uid;
  // Without the store's word, the version cached last is the one that is shown.
  const wanted = store.version ?? versions[0]?.row.version ?? open[0]?.version ?? null;
  const version = versions.find(({ row }) => row.version === wanted) ?? null;
  return {
    path,
    backend: at.backend,
    key: at.path,
    kept,
    store,
    next_open: nextOpen({
      kept,
      passthrough,
      mode: open.find((each) => kept === "in_place" || each.version === wanted)?.mode ?? "none",
      cache: cache?.health.state ?? { kind: "working" },
      version,
      isVerified: version !== null && isVerified(version, cache),
    }),
    versions: versions.map((each) => versionAnswer(each, "known", mayKnow)),
    open: open.map((each) => ({ ...each })),
    plans: plans.usesOf(at).filter((use) => mayKnow(use.uid))
      .map(({ plan, uid, position, nextRead }) => ({ plan, uid, position, next_read: nextRead })),
    names: await namesOf(at, volume, cache),
  };
}

function isVerified({ row }: ObjectDescription, cache: ExplainedCache | null): boolean {
  return cache?.cache.placeOf(residencyKey(row.backend, row.path, row.version)) === "ready";
}

async function namesOf(
  { backend, path }: PlannedPath,
  { offline }: Volume,
  cache: ExplainedCache | null,
): Promise<Explanation["names"]> {
  const directory = path.split("/").slice(0, -1).join("/");
  const listedMs = await cache?.reading.listedMs(backend, directory) ?? null;
  const silence = await offline?.silence() ?? null;
  return {
    directory_listed: listedMs === null ? null : isoTime(listedMs),
    silent_reason: silence?.reason ?? null,
    silent_since: silence === null ? null : isoTime(silence.sinceMs),
  };
}

function notExplained(path: string, reason: string): Refused {
  return refused(
    "bad_request",
    `Explain "${path}": ${reason}, wanted a file of a backend`,
    'Give a file below the mount; "warpdrive ctl usage" adds up directories',
  );
}

function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
