/**
 * Carries out one plan while its connection lasts: fetches what is read next, and tells the cache
 * when each object is used next.
 *
 *     following ──3 fetches not kept, or nobody says what a file is──▶ paused ──5 s──▶ following
 *
 * What it does in one turn of the loop is bounded; a plan may name a million files.
 */
import { BackendError, type ObjectEntry } from "../cache/backend/backend.ts";
import { abortable } from "../cache/backend/abort_scope.ts";
import type { Plan, PlanStep } from "../cache/plan/plan.ts";
import type { PlannedObjects } from "../cache/plan/planned_objects.ts";
import type { PlanSet } from "../cache/plan/plan_set.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import type { Logger } from "../cache/platform/log.ts";
import type { Listings } from "./fs/listings.ts";
import type { Volume } from "./fs/volume.ts";
import { PlanScout } from "./plan_scout.ts";

/** Fetches of one plan at once; the scheduler of each backend decides which of them run. */
const FETCHES_MAX = 16;
/** Files told to the cache, or looked up in it, in one turn: about a millisecond. */
const FILES_PER_TURN = 1_000;
/** So many fetches in a row that the cache does not keep, and fetching ahead is in vain, */
const UNKEPT_MAX = 3;
/** for so long. */
const PAUSE_MS = 5_000;

type FetchStep = Extract<PlanStep, { readonly kind: "fetch" }>;

/** What feeding needs. */
export interface PlanFeederDeps {
  readonly plans: PlanSet;
  readonly cache: PlannedObjects;
  readonly volumes: ReadonlyMap<string, Volume>;
  readonly listings: Listings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was fetched for a plan. */
export interface FedCounts {
  readonly fetches: number;
  /** Fetches that failed, or whose bytes the cache would not keep. */
  readonly failed: number;
  readonly paused: boolean;
}

/** Feeds one plan. */
export class PlanFeeder {
  readonly #plan: Plan;
  readonly #uid: number;
  readonly #deps: PlanFeederDeps;
  readonly #scout: PlanScout;
  readonly #tasks: TaskGroup;
  #woken = Promise.withResolvers<void>();
  #retell = false;
  #unkept = 0;
  #fetches = 0;
  #failed = 0;
  #pausedUntilMs = -Infinity;

  /** @param uid Whom its fetches are charged to. */
  constructor(plan: Plan, uid: number, deps: PlanFeederDeps) {
    this.#plan = plan;
    this.#uid = uid;
    this.#deps = deps;
    const { volumes, listings, logger, cache } = deps;
    this.#scout = new PlanScout(plan, {
      volumes,
      listings,
      found: (file, before) => {
        if (before !== null) cache.planned(before, Infinity);
        this.#tell(file);
      },
    });
    this.#tasks = new TaskGroup((error) => logger.error("Lose a task of a plan", { error }));
  }

  get counts(): FedCounts {
    const paused = this.#deps.clock.monotonicMs() < this.#pausedUntilMs;
    return { fetches: this.#fetches, failed: this.#failed, paused };
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken.resolve();
  }

  /**
   * The file with `key`, which is held by whoever has its bytes, was opened as `entry`. Told at
   * once: when its bytes come, the cache asks how soon they are wanted again.
   */
  opened(key: number, entry: ObjectEntry): void {
    const file = this.#plan.files.find(key);
    if (file === null) return;
    const before = this.#plan.files.found(file, entry);
    if (before !== null) this.#deps.cache.planned(before, Infinity);
    this.#tell(file, true);
    this.wake();
  }

  /** All times told are wrong. */
  retellAll(): void {
    this.#retell = true;
    this.wake();
  }

  /** Feeds until `signal` aborts; then takes back what was told of the plan's files. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.#woken = Promise.withResolvers();
        this.#tasks.add(this.#sweep(signal));
        await this.#tellChanged(signal);
        await this.#fill(signal);
        await abortable(this.#woken.promise, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await this.#tasks.settled();
      await this.#tellAll();
    }
  }

  /** The cache is told when `file` is used next, if it has it or is about to. */
  #tell(file: number, certainly = false): void {
    const { cache, plans } = this.#deps;
    const object = this.#plan.files.objectOf(file);
    if (object === null) return;
    const nextUse = plans.nextUseMs(this.#plan.files.key(file));
    // What is neither there nor coming would only fill the memory of the policy.
    if (certainly || nextUse === Infinity || cache.placeOf(object) !== "absent") {
      cache.planned(object, nextUse);
    }
  }

  async #tellChanged(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#retell) {
        this.#retell = false;
        await this.#tellAll();
      }
      const files = this.#plan.takeChanged(FILES_PER_TURN);
      for (const file of files) this.#tell(file);
      if (files.length < FILES_PER_TURN) return;
      await this.#deps.clock.sleep(0, signal);
    }
  }

  async #tellAll(): Promise<void> {
    const never = new AbortController().signal;
    for (let file = 0; file < this.#plan.files.count; file += 1) {
      this.#tell(file);
      if (file % FILES_PER_TURN === FILES_PER_TURN - 1) await this.#deps.clock.sleep(0, never);
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    try {
      await this.#scout.sweep(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Starts what there is room for. */
  async #fill(signal: AbortSignal): Promise<void> {
    for (let steps = 1; this.#tasks.size < FETCHES_MAX && !this.counts.paused; steps += 1) {
      const step = this.#plan.next();
      if (step.kind === "wait") return;
      if (step.kind === "look") await this.#look(signal);
      else this.#start(step, signal);
      if (steps % FILES_PER_TURN === 0) await this.#deps.clock.sleep(0, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      await this.#scout.lookAhead(signal);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      this.#failed += 1;
      this.#pause(signal);
    }
  }

  #start(step: FetchStep, signal: AbortSignal): void {
    this.#tell(step.file, true);
    const object = this.#plan.files.objectOf(step.file);
    if (object === null || this.#deps.cache.placeOf(object) === "ready") return;
    this.#tasks.add(this.#fetch(step, signal).finally(() => this.wake()));
  }

  async #fetch(step: FetchStep, signal: AbortSignal): Promise<void> {
    this.#fetches += 1;
    try {
      const kept = await this.#bring(step, signal);
      this.#unkept = kept === "kept" ? 0 : this.#unkept + 1;
      if (kept === "not kept") this.#failed += 1;
      if (this.#unkept === UNKEPT_MAX) this.#pause(signal);
    } catch (error) {
      if (signal.aborted) return;
      // The reader will be told what is wrong, if it is wrong by then.
      if (!(error instanceof BackendError)) throw error;
      this.#failed += 1;
    }
  }

  async #bring(step: FetchStep, signal: AbortSignal): Promise<"kept" | "not kept"> {
    const { file, offset, lengthBytes } = step;
    try {
      return await this.#bringOf(step, signal);
    } catch (error) {
      if (!(error instanceof BackendError) || error.code !== "changed") throw error;
    }
    await this.#scout.lookAgain(file, signal);
    this.#tell(file, true);
    const entry = this.#plan.files.entryOf(file);
    if (entry === null) return "kept";
    return await this.#bringOf({ kind: "fetch", file, entry, offset, lengthBytes }, signal);
  }

  async #bringOf(
    { file, entry, offset, lengthBytes }: FetchStep,
    signal: AbortSignal,
  ): Promise<"kept" | "not kept"> {
    const { backend, path } = this.#plan.files.at(file);
    const volume = this.#deps.volumes.get(backend);
    if (volume === undefined) return "not kept";
    const wanted = { path, entry, uid: this.#uid, offset, lengthBytes };
    return await volume.objects.bring(wanted, signal);
  }

  #pause(signal: AbortSignal): void {
    const { clock } = this.#deps;
    this.#unkept = 0;
    this.#pausedUntilMs = clock.monotonicMs() + PAUSE_MS;
    // Woken a moment late rather than early.
    const over = clock.sleep(PAUSE_MS + 10, signal).then(() => this.wake(), () => undefined);
    this.#tasks.add(over);
  }
}
