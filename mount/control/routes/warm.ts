/** The calls by which data are brought into the cache before they are read. */
import { AbortScope } from "../../../cache/backend/abort_scope.ts";
import type { Clock } from "../../../cache/platform/clock.ts";
import {
  WARM_BEGIN,
  WARM_CANCEL,
  WARM_LIST,
  WARM_MORE,
  type WarmRecord,
} from "../../../ctl/api_warm.ts";
import type { WarmJobs, WarmRefusal } from "../../warm/warm_jobs.ts";
import type { WarmRun } from "../../warm/warm_run.ts";
import { type Caller, type Refused, refused, type Route, route } from "../route.ts";

/** As many paths as a call may carry, of some 400 bytes. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Who follows a job hears of it so often at most. */
const PROGRESS_MS = 500;

const CODES = {
  "no cache": "unavailable",
  "too many jobs": "unavailable",
  "not readable": "forbidden",
} as const;

/** Everything below `/v1/warm`. */
export function warmRoutes(jobs: WarmJobs, clock: Clock): readonly Route[] {
  const withPaths = { sockets: "both", bodyBytesMax: BODY_BYTES_MAX } as const;
  const withoutPaths = { sockets: "both", bodyBytesMax: 0 } as const;
  return [
    route(WARM_BEGIN, withPaths, async (request, caller, signal) => {
      const { paths, more, max_bytes: bytesMax, ...wanted } = request;
      const asking = {
        reader: { uid: caller.uid, gids: [caller.gid, ...caller.groups] },
        isOperator: caller.socket === "admin",
      };
      const begun = jobs.begin({ ...wanted, bytesMax }, asking, signal);
      if (begun.kind === "refused") return refusal(begun);
      await begun.run.add(paths, more, signal);
      return { kind: "streamed", records: records(begun.run, clock, signal) };
    }),
    route(WARM_MORE, withPaths, async ({ job, paths, more }, caller, signal) => {
      const run = own(jobs, job, caller);
      if (run === null) return unknown(job);
      await run.add(paths, more, signal);
      return { kind: "answered", body: { job } };
    }),
    route(WARM_LIST, withoutPaths, (_request, caller) => {
      const seen = jobs.list(caller.socket === "admin" ? "everybody" : caller.uid);
      const body = { jobs: seen.map((run) => run.status()) };
      return Promise.resolve({ kind: "answered", body });
    }),
    route(WARM_CANCEL, withoutPaths, async ({ job }, caller) => {
      const run = own(jobs, job, caller);
      if (run === null) return unknown(job);
      if (run.isEnded) return ended(run);
      run.cancel("it was cancelled");
      await run.ended;
      return { kind: "answered", body: run.status() };
    }),
  ];
}

/** The job, then how it gets on and what fails, until it ends or is on its own. */
async function* records(
  run: WarmRun,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<WarmRecord> {
  yield { event: "begun", ...run.status() };
  if (run.wanted.detach) {
    await Promise.race([run.allPaths, run.ended]);
    return yield { event: "detached", ...run.status() };
  }
  for (let told = 0;;) {
    // Those that failed come before the end, however late it is looked at.
    const { isEnded } = run;
    for (; told < run.failures.length; told += 1) {
      const failure = run.failures[told];
      if (failure !== undefined) yield { event: "failed", ...failure };
    }
    if (isEnded) return yield { event: "ended", ...run.status() };
    if (signal.aborted) return;
    yield { event: "progress", ...run.status() };
    using pause = new AbortScope(signal);
    await Promise.race([run.ended, clock.sleep(PROGRESS_MS, pause.signal).catch(() => undefined)]);
    pause.abort(null);
  }
}

/** The job, if it is the caller's or the caller may steer everybody's. */
function own(jobs: WarmJobs, id: string, { uid, socket }: Caller): WarmRun | null {
  const run = jobs.find(id);
  return run !== null && (socket === "admin" || run.wanted.uid === uid) ? run : null;
}

function unknown(id: string): Refused {
  const hint = '"warpdrive ctl warm --list" shows the jobs of this user';
  return refused("not_found", `Find warm job "${id}": this user has no such job`, hint);
}

function ended(run: WarmRun): Refused {
  return refused("conflict", `Cancel warm job "${run.id}": it has ended, ${run.status().state}`);
}

function refusal({ why, message, hint }: WarmRefusal): Refused {
  return refused(CODES[why], message, hint);
}
