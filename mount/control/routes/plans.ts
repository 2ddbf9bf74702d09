/** The calls by which processes say what they are going to read. */
import {
  PLAN_APPEND,
  PLAN_LIST,
  PLAN_NAMES_MAX,
  PLAN_OPEN,
  PLAN_PROGRESS,
  type PlanStatus,
} from "../../../ctl/api_plans.ts";
import type { Clock } from "../../../cache/platform/clock.ts";
import type { NamedRead, PlanRefusal, Plans, ReadsTaken, RunningPlan } from "../../plans.ts";
import { type Caller, type Refused, refused, type Route, route } from "../route.ts";

/** As many reads as a call may carry, with paths of some 400 bytes. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Who follows the stream hears of another state so often at most. */
const STATE_MS = 60_000;

/** An item as it is on the wire. */
type Item = string | {
  readonly path: string;
  readonly offset: number;
  readonly length?: number | undefined;
};

/** A record of the stream that a plan lives as long as. */
type PlanRecord =
  | ({ readonly event: "begun" } & ReturnType<typeof taken>)
  | ({ readonly event: "status" } & PlanStatus);

/** Everything below `/v1/plans`. */
export function planRoutes(plans: Plans, clock: Clock): readonly Route[] {
  const withItems = { sockets: "both", bodyBytesMax: BODY_BYTES_MAX } as const;
  const withoutItems = { sockets: "both", bodyBytesMax: 4_096 } as const;
  return [
    route(PLAN_OPEN, withItems, (request, caller, signal) => {
      const begun = plans.begin({
        reader: { uid: caller.uid, gids: [caller.gid, ...caller.groups] },
        reads: request.items.map(namedRead),
        epochs: request.epochs,
        windowBytes: request.window_bytes ?? null,
      }, signal);
      if (begun.kind === "refused") return Promise.resolve(refusal(begun));
      return Promise.resolve({ kind: "streamed", records: records(plans, begun, clock, signal) });
    }),
    route(PLAN_APPEND, withItems, ({ plan, items, epochs }, caller) => {
      const running = own(plans, plan, caller);
      if (running === null) return Promise.resolve(unknown(plan));
      const added = plans.append(running, items.map(namedRead), epochs);
      if (added.kind === "refused") return Promise.resolve(refusal(added));
      return Promise.resolve({ kind: "answered", body: taken(added) });
    }),
    route(PLAN_PROGRESS, withoutItems, ({ plan, position }, caller) => {
      const running = own(plans, plan, caller);
      if (running === null) return Promise.resolve(unknown(plan));
      plans.reported(running, position);
      return Promise.resolve({ kind: "answered", body: plans.status(running) });
    }),
    route(PLAN_LIST, { sockets: "both", bodyBytesMax: 0 }, (_request, caller) => {
      const seen = plans.list(caller.socket === "admin" ? "everybody" : caller.uid);
      const body = { plans: seen.map((running) => plans.status(running)) };
      return Promise.resolve({ kind: "answered", body });
    }),
  ];
}

/** What became of the plan, then each change of its state, until the client is gone. */
async function* records(
  plans: Plans,
  begun: ReadsTaken,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<PlanRecord> {
  yield { event: "begun", ...taken(begun) };
  let told: PlanStatus["state"] | null = null;
  while (!signal.aborted) {
    // Only changes: a client that reads nothing but the first record must not be held up by more.
    const status = plans.status(begun.plan);
    if (status.state !== told) yield { event: "status", ...status };
    told = status.state;
    await clock.sleep(STATE_MS, signal).catch(() => undefined);
  }
}

function namedRead(item: Item): NamedRead {
  if (typeof item === "string") return { path: item, offset: 0, length: Infinity };
  return { path: item.path, offset: item.offset, length: item.length ?? Infinity };
}

function taken({ plan, unresolved }: ReadsTaken) {
  return {
    plan: plan.id,
    end: plan.plan.progress.end,
    unresolved_count: unresolved.length,
    unresolved: unresolved.slice(0, PLAN_NAMES_MAX),
  };
}

/** The plan, if it is the caller's or the caller may steer everybody's. */
function own(plans: Plans, id: string, { uid, socket }: Caller): RunningPlan | null {
  const running = plans.find(id);
  return running !== null && (socket === "admin" || running.uid === uid) ? running : null;
}

function unknown(id: string): Refused {
  const hint = "A plan ends with the connection that began it; begin a new one";
  return refused("not_found", `Find plan "${id}": this user has no such plan`, hint);
}

function refusal({ why, message, hint }: PlanRefusal): Refused {
  return refused(why === "too many reads" ? "conflict" : "unavailable", message, hint);
}
