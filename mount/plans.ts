/**
 * The plans of a mount: whose they are, how many there may be, and what is opened meanwhile.
 *
 *     begin ──▶ fed, while its signal lasts ──abort──▶ forgotten by the cache
 */
import { type AnnouncedRead, Plan } from "../cache/plan/plan.ts";
import { fileKeyOf, type PlannedPath } from "../cache/plan/plan_files.ts";
import type { PlannedObjects } from "../cache/plan/planned_objects.ts";
import { PlanSet } from "../cache/plan/plan_set.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import type { Logger } from "../cache/platform/log.ts";
import type { PlanStatus } from "../ctl/api_plans.ts";
import type { Listings } from "./fs/listings.ts";
import type { Node } from "./fs/nodes.ts";
import type { Volume } from "./fs/volume.ts";
import { mayRead, type Readability, type Reader } from "./may_read.ts";
import { PlanFeeder } from "./plan_feeder.ts";
import { locate, type MountedTree } from "./plan_paths.ts";

/** Plans at once. Each open of a file asks them all. */
const PLANS_MAX = 64;
const PLANS_PER_USER_MAX = 16;
/** Reads that a plan may hold; a list that is read several times counts once. */
const READS_MAX = 1_000_000;
/** Reads of all plans together, at about 200 bytes each. */
const ALL_READS_MAX = 2_000_000;
/** Paths of all plans together, for those whose paths are long. */
const ALL_BYTES_MAX = 512 * 1024 * 1024;
/** Of the cache, what all plans together fetch ahead: it holds nothing else meanwhile. */
const WINDOW_SHARE = 1 / 64;
/** More than this is never ahead unless asked for. */
const WINDOW_BYTES_MAX = 1024 ** 3;
/** Of the cache, what a plan may ask to be ahead. */
const ASKED_SHARE_MAX = 1 / 8;

/** A read as a client names it. */
export interface NamedRead {
  readonly path: string;
  readonly offset: number;
  /** Infinity reaches to the end. */
  readonly length: number;
}

/** Why reads were not taken. */
export interface PlanRefusal {
  readonly kind: "refused";
  readonly why: "too many plans" | "too many reads" | "no cache";
  readonly message: string;
  readonly hint: string;
}

/** What became of reads. */
export interface ReadsTaken {
  readonly kind: "taken";
  readonly plan: RunningPlan;
  readonly unresolved: readonly { readonly path: string; readonly reason: string }[];
}

/** What a plan is begun with. */
export interface PlanRequest {
  readonly reader: Reader;
  readonly reads: readonly NamedRead[];
  readonly epochs: number;
  /** Null leaves it to the mount. */
  readonly windowBytes: number | null;
}

/** What the plans of a mount need. */
export interface PlansDeps {
  readonly tree: MountedTree;
  readonly readability: Readability;
  /** Null without a cache: there is nothing to fetch into. */
  readonly cache: PlannedObjects | null;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly listings: Listings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A plan whose connection lasts. */
export interface RunningPlan {
  readonly id: string;
  readonly uid: number;
  readonly plan: Plan;
  readonly feeder: PlanFeeder;
  readonly reader: Reader;
}

/** A plan that names a file. */
export interface PlanUse {
  readonly plan: string;
  readonly uid: number;
  /** The first read that has not begun. */
  readonly position: number;
  /** The next one of the file; null when it is not read again, as far as the plan knows. */
  readonly nextRead: number | null;
}

/** All plans. */
export class Plans implements AsyncDisposable {
  readonly #deps: PlansDeps;
  readonly #running = new Map<string, RunningPlan>();
  readonly #set = new PlanSet();
  readonly #closing = new AbortController();
  readonly #tasks: TaskGroup;
  #lastId = 0;

  constructor(deps: PlansDeps) {
    this.#deps = deps;
    this.#tasks = new TaskGroup((error) => deps.logger.error("Lose a plan", { error }));
  }

  /** Plans at the moment. */
  get size(): number {
    return this.#running.size;
  }

  /** Ends all plans and waits until they are taken back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#tasks.settled();
  }

  find(id: string): RunningPlan | null {
    return this.#running.get(id) ?? null;
  }

  /** The plans of `uid`, or of everybody. */
  list(uid: number | "everybody"): readonly RunningPlan[] {
    return [...this.#running.values()].filter((plan) => uid === "everybody" || plan.uid === uid);
  }

  /** Begins a plan that lives until `signal` aborts. */
  begin(request: PlanRequest, signal: AbortSignal): ReadsTaken | PlanRefusal {
    const { reader, reads, epochs, windowBytes } = request;
    const { cache, clock } = this.#deps;
    if (cache === null) return NO_CACHE;
    const { uid } = reader;
    if (this.#running.size >= PLANS_MAX) return tooManyPlans("the mount", PLANS_MAX);
    if (this.list(uid).length >= PLANS_PER_USER_MAX) {
      return tooManyPlans(`user ${uid}`, PLANS_PER_USER_MAX);
    }
    const plan = new Plan(() => this.#windowBytes(cache, windowBytes), clock.monotonicMs());
    const feeder = new PlanFeeder(plan, uid, { ...this.#deps, cache, plans: this.#set });
    this.#lastId += 1;
    const running = { id: String(this.#lastId), uid, plan, feeder, reader };
    const taken = this.append(running, reads, epochs);
    if (taken.kind === "refused") return taken;
    this.#running.set(running.id, running);
    this.#set.add(plan);
    this.#tasks.add(this.#run(running, AbortSignal.any([signal, this.#closing.signal])));
    return taken;
  }

  /** Adds reads behind all others of a plan. */
  append(
    running: RunningPlan,
    reads: readonly NamedRead[],
    epochs: number,
  ): ReadsTaken | PlanRefusal {
    const { plan, feeder, reader } = running;
    const others = [...this.#running.values()].filter((other) => other !== running);
    const all = others.reduce((sum, other) => sum + other.plan.length, plan.length + reads.length);
    const bytes = others.reduce((sum, { plan: { files } }) => sum + files.sizeBytes, 0);
    if (plan.length + reads.length > READS_MAX) return tooManyReads("a plan", READS_MAX);
    if (all > ALL_READS_MAX || bytes + plan.files.sizeBytes > ALL_BYTES_MAX) {
      return tooManyReads("all plans", ALL_READS_MAX);
    }
    const unresolved: { readonly path: string; readonly reason: string }[] = [];
    const announced: AnnouncedRead[] = [];
    // What a store has is shown with one owner and mode, so that one answer holds for all of it.
    const readable = mayRead(reader, this.#deps.readability);
    for (const { path, offset, length } of reads) {
      const located = readable ? locate(path, this.#deps.tree) : NOT_READABLE;
      if (located.kind === "located") announced.push({ ...located.at, offset, length });
      else unresolved.push({ path, reason: located.reason });
    }
    plan.append(announced, epochs);
    feeder.wake();
    return { kind: "taken", plan: running, unresolved };
  }

  /** The reader of a plan says what it reads next. */
  reported({ plan, feeder }: RunningPlan, position: number): void {
    plan.reported(position, this.#deps.clock.monotonicMs());
    this.#follow();
    feeder.wake();
  }

  /** `node`, an object, was opened by `uid` and is held by whoever has its bytes. */
  opened({ volume, path, entry }: Pick<Node, "volume" | "path" | "entry">, uid: number): void {
    if (this.#running.size === 0 || volume === null || entry.kind !== "object") return;
    const key = fileKeyOf({ backend: volume.name, path });
    const nowMs = this.#deps.clock.monotonicMs();
    for (const running of this.#running.values()) {
      // A job opens its files as the user it runs as; what others open says nothing about it.
      if (running.uid !== uid || !running.plan.opened(key, nowMs)) continue;
      // Of a local file nothing is fetched.
      if (volume.files === null) running.feeder.opened(key, entry);
      else running.feeder.wake();
    }
    this.#follow();
  }

  /** The plans that name a file. */
  usesOf(file: PlannedPath): readonly PlanUse[] {
    const key = fileKeyOf(file);
    return [...this.#running.values()].filter(({ plan }) => plan.files.find(key) !== null)
      .map(({ id, uid, plan }) => ({
        plan: id,
        uid,
        position: plan.progress.position,
        nextRead: plan.nextRead(key),
      }));
  }

  status({ id, uid, plan, feeder }: RunningPlan): PlanStatus {
    const { position, end, readsPerSecond, aheadReads, aheadBytes, skipped, strays } =
      plan.progress;
    const { fetches, failed, paused } = feeder.counts;
    return {
      plan: id,
      uid,
      state: paused ? "paused" : position === end ? "complete" : "following",
      position,
      end,
      reads_per_second: readsPerSecond,
      ahead_reads: aheadReads,
      ahead_bytes: aheadBytes,
      fetches,
      failed_fetches: failed,
      missing: plan.files.missing,
      skipped,
      strays,
    };
  }

  async #run(running: RunningPlan, signal: AbortSignal): Promise<void> {
    const forget = () => {
      this.#running.delete(running.id);
      this.#set.delete(running.plan);
    };
    signal.addEventListener("abort", forget, { once: true });
    if (signal.aborted) forget();
    await running.feeder.run(signal);
  }

  #follow(): void {
    for (const plan of this.#set.follow(this.#deps.clock.monotonicMs())) {
      for (const running of this.#running.values()) {
        if (running.plan === plan) running.feeder.retellAll();
      }
    }
  }

  #windowBytes({ capacityBytes }: PlannedObjects, asked: number | null): number {
    const shareBytes = capacityBytes / Math.max(1, this.#running.size);
    return asked === null
      ? Math.min(WINDOW_BYTES_MAX, Math.floor(shareBytes * WINDOW_SHARE))
      : Math.min(asked, Math.floor(shareBytes * ASKED_SHARE_MAX));
  }
}

const NOT_READABLE = { kind: "unresolved", reason: "this user may not read it" } as const;

const NO_CACHE: PlanRefusal = {
  kind: "refused",
  why: "no cache",
  message: "Begin a plan: this mount has no cache to fetch into",
  hint: "Set cache.path in the configuration, and mount again",
};

function tooManyPlans(whose: string, most: number): PlanRefusal {
  return {
    kind: "refused",
    why: "too many plans",
    message: `Begin a plan: ${whose} has ${most} already, at most ${most} are possible`,
    hint: "End a plan by closing its connection, or hand several lists over as one",
  };
}

function tooManyReads(what: string, most: number): PlanRefusal {
  return {
    kind: "refused",
    why: "too many reads",
    message: `Take reads into a plan: ${what} may hold ${most}, this would be more`,
    hint: "Hand over what is read soon, and the rest when it is",
  };
}
