/**
 * The warm jobs of a mount: whose they are, how many there may be, and those that ended last.
 *
 *     begin ──▶ running, for as long as its client stays or it is detached ──▶ ended ──▶ forgotten
 */
import type { Clock } from "../../cache/platform/clock.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { Logger } from "../../cache/platform/log.ts";
import type { WarmJob } from "../../cache/operations/warm_job.ts";
import type { Listings } from "../fs/listings.ts";
import type { Volume } from "../fs/volume.ts";
import { mayRead, type Readability, type Reader } from "../may_read.ts";
import type { NamespaceNode } from "../namespace.ts";
import { WarmRun, type WarmWanted } from "./warm_run.ts";

/** Jobs at once: each has its files on their way, and others that wait. */
const RUNNING_MAX = 16;
const RUNNING_PER_USER_MAX = 4;
/** Jobs that ended and are still listed. */
const ENDED_MAX = 64;

/** Why a job was not begun. */
export interface WarmRefusal {
  readonly kind: "refused";
  readonly why: "no cache" | "not readable" | "too many jobs";
  readonly message: string;
  readonly hint: string;
}

/** Who wants data to be brought in. */
export interface WarmCaller {
  readonly reader: Reader;
  /** May do everything, whatever mode bits say. */
  readonly isOperator: boolean;
}

/** What the jobs of a mount need. */
export interface WarmJobsDeps {
  readonly mountPoint: string;
  readonly space: NamespaceNode<Volume>;
  readonly readability: Readability;
  readonly listings: Listings;
  /** Begins to warm; null without a cache: there is nothing to bring anything into. */
  readonly begin: (() => Pick<WarmJob, "warm" | typeof Symbol.dispose>) | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All jobs. */
export class WarmJobs implements AsyncDisposable {
  readonly #deps: WarmJobsDeps;
  /** In the order in which they began. */
  readonly #runs = new Map<string, WarmRun>();
  readonly #tasks: TaskGroup;
  #lastId = 0;

  constructor(deps: WarmJobsDeps) {
    this.#deps = deps;
    this.#tasks = new TaskGroup((error) => deps.logger.error("Lose a warm job", { error }));
  }

  /**
   * Begins a job. It ends with `signal`, unless it is detached and has all its paths by then.
   * Paths are handed over by {@linkcode WarmRun.add}.
   */
  begin(
    wanted: Omit<WarmWanted, "uid">,
    { reader, isOperator }: WarmCaller,
    signal: AbortSignal,
  ): { readonly kind: "begun"; readonly run: WarmRun } | WarmRefusal {
    const { begin, readability } = this.#deps;
    if (begin === null) return NO_CACHE;
    // What a store has is shown with one owner and mode, so that one answer holds for all of it.
    if (!isOperator && !mayRead(reader, readability)) return NOT_READABLE;
    const running = [...this.#runs.values()].filter(({ isEnded }) => !isEnded);
    if (running.length >= RUNNING_MAX) return tooMany("the mount", RUNNING_MAX);
    const own = running.filter(({ wanted: { uid } }) => uid === reader.uid);
    if (!isOperator && own.length >= RUNNING_PER_USER_MAX) {
      return tooMany(`user ${reader.uid}`, RUNNING_PER_USER_MAX);
    }
    this.#lastId += 1;
    const id = String(this.#lastId);
    const run = new WarmRun(id, { ...wanted, uid: reader.uid }, { ...this.#deps, begin });
    this.#runs.set(id, run);
    this.#forget();
    this.#tasks.add(run.run());
    this.#tasks.add(this.#follow(run, signal));
    return { kind: "begun", run };
  }

  /** Jobs that have not ended. */
  get running(): number {
    return [...this.#runs.values()].filter(({ isEnded }) => !isEnded).length;
  }

  /** The job called `id`, running or ended lately. */
  find(id: string): WarmRun | null {
    return this.#runs.get(id) ?? null;
  }

  /** Jobs of `uid`, or of everybody, the latest first. */
  list(uid: number | "everybody"): readonly WarmRun[] {
    return [...this.#runs.values()].reverse()
      .filter(({ wanted }) => uid === "everybody" || wanted.uid === uid);
  }

  /** Ends all jobs. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs.values()) run.cancel("the mount stops");
    await this.#tasks.settled();
  }

  /** Ends `run` when its client leaves while it depends on it. */
  async #follow(run: WarmRun, signal: AbortSignal): Promise<void> {
    const onLeft = () => run.cancel("its client left");
    if (signal.aborted) onLeft();
    else signal.addEventListener("abort", onLeft, { once: true });
    await (run.wanted.detach ? run.allPaths : run.ended);
    signal.removeEventListener("abort", onLeft);
  }

  #forget(): void {
    let ended = [...this.#runs.values()].filter(({ isEnded }) => isEnded).length;
    for (const [id, { isEnded }] of this.#runs) {
      if (ended <= ENDED_MAX) return;
      if (!isEnded) continue;
      this.#runs.delete(id);
      ended -= 1;
    }
  }
}

const NO_CACHE: WarmRefusal = {
  kind: "refused",
  why: "no cache",
  message: "Begin to warm: this mount has no cache to bring anything into",
  hint: "Set cache.path in the configuration, and mount again",
};

const NOT_READABLE: WarmRefusal = {
  kind: "refused",
  why: "not readable",
  message: "Begin to warm: this user may not read the files of this mount",
  hint: "Ask as a user who may, or see owner and allow_other in the configuration",
};

function tooMany(whose: string, most: number): WarmRefusal {
  return {
    kind: "refused",
    why: "too many jobs",
    message: `Begin to warm: ${whose} has ${most} jobs that run, at most ${most} are possible`,
    hint: 'Wait for one, or end one: "warpdrive ctl warm --list" shows them',
  };
}
