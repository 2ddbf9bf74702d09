/** A plan that one mount has taken. It lives as long as its connection. */
import type { Clock } from "../cache/platform/clock.ts";
import { within } from "../cache/platform/within.ts";
import { PLAN_APPEND, PLAN_ITEMS_PER_CALL, PLAN_OPEN } from "../ctl/api_plans.ts";
import { ControlClient } from "../ctl/client.ts";

/** Longest wait for an answer: the run stands still before its first read. */
const ANSWER_MS_MAX = 10_000;

/** What a plan needs of the program. */
export interface MountPlanDeps {
  readonly clock: Clock;
  /** Ends the plan. */
  readonly signal: AbortSignal;
  /** Is told that a shard names no file of the mount, and why. */
  readonly onUnresolved: (count: number, first: string) => void;
  /** Is told that the mount ended the plan. */
  readonly onLost: (error: unknown) => void;
}

type Records = ReturnType<typeof recordsOf>;

/** A plan; disposing ends it. */
export class MountPlan implements AsyncDisposable {
  readonly #client: ControlClient;
  readonly #id: string;
  readonly #deps: MountPlanDeps;
  readonly #ending: AbortController;
  readonly #signal: AbortSignal;
  readonly #following: Promise<void>;

  /**
   * Hands `files`, relative to its root, to the mount behind `socket`.
   *
   * @throws {ControlError} when the mount refuses them, or cannot be asked.
   */
  static async begin(
    socket: string,
    files: readonly string[],
    deps: MountPlanDeps,
  ): Promise<MountPlan> {
    const client = new ControlClient(socket);
    const ending = new AbortController();
    const signal = AbortSignal.any([deps.signal, ending.signal]);
    try {
      const records = recordsOf(client, files.slice(0, PLAN_ITEMS_PER_CALL), signal);
      const { value: begun } = await inTime(records.next(), socket, deps.clock);
      if (begun?.event !== "begun") throw new Error(`Begin a plan at "${socket}": no answer`);
      tell(begun, deps);
      const plan = new MountPlan(client, begun.plan, records, ending, deps);
      await plan.append(files.slice(PLAN_ITEMS_PER_CALL));
      return plan;
    } catch (error) {
      ending.abort();
      throw error;
    }
  }

  private constructor(
    client: ControlClient,
    id: string,
    records: Records,
    ending: AbortController,
    deps: MountPlanDeps,
  ) {
    this.#client = client;
    this.#id = id;
    this.#deps = deps;
    this.#ending = ending;
    this.#signal = AbortSignal.any([deps.signal, ending.signal]);
    this.#following = this.#follow(records);
  }

  /** Adds `files` behind all others. */
  async append(files: readonly string[]): Promise<void> {
    for (let start = 0; start < files.length; start += PLAN_ITEMS_PER_CALL) {
      const items = files.slice(start, start + PLAN_ITEMS_PER_CALL);
      const call = this.#client.call(PLAN_APPEND, { plan: this.#id, items }, this.#signal);
      tell(await inTime(call, this.#client.socket, this.#deps.clock), this.#deps);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#following;
  }

  /** How the mount gets on is its own affair; that it ended the plan is not. */
  async #follow(records: Records): Promise<void> {
    try {
      for await (const _ of records);
      if (!this.#signal.aborted) throw new Error("The mount ended the plan");
    } catch (error) {
      if (!this.#signal.aborted) this.#deps.onLost(error);
    }
  }
}

function recordsOf(client: ControlClient, items: readonly string[], signal: AbortSignal) {
  return client.stream(PLAN_OPEN, { items: [...items] }, signal);
}

function tell(
  { unresolved_count: count, unresolved }: {
    readonly unresolved_count: number;
    readonly unresolved: readonly { readonly path: string; readonly reason: string }[];
  },
  { onUnresolved }: MountPlanDeps,
): void {
  const [first] = unresolved;
  if (first !== undefined) onUnresolved(count, `"${first.path}": ${first.reason}`);
}

function inTime<T>(call: Promise<T>, socket: string, clock: Clock): Promise<T> {
  return within(
    call,
    ANSWER_MS_MAX,
    clock,
    () => new Error(`Ask the mount at "${socket}": no answer in ${ANSWER_MS_MAX / 1_000}s`),
  );
}
