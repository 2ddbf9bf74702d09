/** The calls by which data are brought into the cache before they are read; `docs/warming.md`. */
import { z } from "zod";
import type { Endpoint } from "./api.ts";

/** Paths in one call; more are handed over in further calls while the job runs. */
export const WARM_PATHS_PER_CALL = 10_000;
/** Files that failed which a job names; all are counted. */
export const WARM_FAILURES_MAX = 200;
/** Files on their way at once: of a job that does not say, and at most. */
export const WARM_WORKERS_DEFAULT = 32;
export const WARM_WORKERS_MAX = 256;

const COUNT = z.int().nonnegative();
const JOB = z.string();
const PATHS = z.array(z.string()).max(WARM_PATHS_PER_CALL);
const TIME = z.iso.datetime();

/**
 * How a job is getting on.
 *
 * - `running`; `waiting`: a store does not answer, and is asked again for some minutes.
 * - `done`: all there was to do. `failed`: but for some files.
 * - `capped`: the limit of new bytes is reached. `full`: the cache has no room for more.
 * - `cancelled`: by a call, because its client left, or because the mount stops.
 */
export const WARM_STATES = [
  "running",
  "waiting",
  "done",
  "failed",
  "capped",
  "full",
  "cancelled",
] as const;

/** A job, running or ended. */
export const WARM_STATUS = z.object({
  job: JOB,
  /** Who began it, and whom what it brings in is charged to. */
  uid: z.int(),
  /** `check` looks at what is cached and fetches nothing. */
  mode: z.enum(["warm", "check"]),
  state: z.enum(WARM_STATES),
  /** Why it waits, or ended early. */
  reason: z.string().nullable(),
  /** It goes on without the client that began it. */
  detached: z.boolean(),
  /** The first path, as it was given. */
  path: z.string(),
  paths: COUNT,
  /** Every file is found: the totals below grow no more. */
  listed: z.boolean(),
  files_total: COUNT,
  /** Files of which everything is cached. */
  files_done: COUNT,
  files_failed: COUNT,
  bytes_total: COUNT,
  /** Cached of them, `bytes_skipped` and `bytes_fetched` together. */
  bytes_done: COUNT,
  /** Were in the cache before. */
  bytes_skipped: COUNT,
  bytes_fetched: COUNT,
  /** Paths and directories of local backends, whose files are read where they are. */
  in_place: COUNT,
  /** Fetched in the last seconds, or, of a job that ended, while it ran. */
  bytes_per_second: z.number(),
  /** Null while that cannot be told. */
  eta_seconds: z.number().nullable(),
  seconds: z.number(),
  started: TIME,
  ended: TIME.nullable(),
});
export type WarmStatus = z.infer<typeof WARM_STATUS>;

/** A file or path of which not everything is cached, and why. */
const WARM_FAILURE = z.object({ path: z.string(), reason: z.string() });
export type WarmFailure = z.infer<typeof WARM_FAILURE>;

/**
 * Begins a job, which ends when the client leaves the stream, unless it is detached: then the
 * stream ends by itself as soon as all paths are handed over.
 */
export const WARM_BEGIN = {
  method: "POST",
  path: "/v1/warm",
  request: z.strictObject({
    mode: z.enum(["warm", "check"]).default("warm"),
    /** Absolute, or relative to the mount point. */
    paths: PATHS,
    /** Paths that are not there as they are written are patterns. */
    globs: z.boolean().default(false),
    /** More paths come by `WARM_MORE`. */
    more: z.boolean().default(false),
    /** Directories with all below them, or only the files directly in them. */
    recursive: z.boolean().default(true),
    /** New bytes at most; 0: no limit. */
    max_bytes: COUNT.default(0),
    workers: z.int().min(1).max(WARM_WORKERS_MAX).default(WARM_WORKERS_DEFAULT),
    detach: z.boolean().default(false),
  }),
  answer: z.discriminatedUnion("event", [
    z.object({ event: z.literal("begun"), ...WARM_STATUS.shape }),
    z.object({ event: z.literal("progress"), ...WARM_STATUS.shape }),
    z.object({ event: z.literal("failed"), ...WARM_FAILURE.shape }),
    z.object({ event: z.literal("detached"), ...WARM_STATUS.shape }),
    z.object({ event: z.literal("ended"), ...WARM_STATUS.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;
export type WarmRecord = z.infer<typeof WARM_BEGIN.answer>;

/** Hands over more paths; answers when the job has room for the next ones. */
export const WARM_MORE = {
  method: "POST",
  path: "/v1/warm/:job/paths",
  request: z.strictObject({ job: JOB, paths: PATHS, more: z.boolean() }),
  answer: z.object({ job: JOB }),
  form: "single",
} satisfies Endpoint;

/** The jobs of who asks, those that ended last included; by `admin.sock` those of everybody. */
export const WARM_LIST = {
  method: "GET",
  path: "/v1/warm",
  request: z.strictObject({}),
  answer: z.object({ jobs: z.array(WARM_STATUS) }),
  form: "single",
} satisfies Endpoint;

/** Ends a job; answers when it has ended. */
export const WARM_CANCEL = {
  method: "DELETE",
  path: "/v1/warm/:job",
  request: z.strictObject({ job: JOB }),
  answer: WARM_STATUS,
  form: "single",
} satisfies Endpoint;
