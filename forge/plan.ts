/**
 * Tells WarpDrive mounts in which order a run reads its shards, so that they fetch just ahead of it
 * and keep what is used next (docs/plans.md). A plan is advice: whatever goes wrong with it costs a
 * warning and never the run. Positions are not reported: the mount sees which shards are opened.
 */
import type { Clock } from "../cache/platform/clock.ts";
import type { Libc } from "../cache/platform/libc.ts";
import type { Logger } from "../cache/platform/log.ts";
import { MountPlan } from "./plan_at_mount.ts";
import { PlanHorizon } from "./plan_horizon.ts";
import { planned, planPlaceOf } from "./plan_place.ts";
import { shardOrder } from "./train/shard_order.ts";
import type { Root, Shard } from "./train/shards.ts";

/** The run whose order is told. */
export interface PlannedRun {
  readonly roots: readonly Root[];
  readonly seed: number;
  /** Samples that it takes in all. */
  readonly samples: number;
  /** Bytes of shards that its workers read at once. */
  readonly readAheadBytes: number;
}

/** What telling takes. */
export interface OrderPlanDeps {
  readonly libc: Pick<Libc, "attributeLater">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where a shard is, as a plan names it. */
interface PlannedShard {
  readonly socket: string;
  readonly file: string;
}

/** The plans of a run, one at each mount its roots are on. Disposing ends them. */
export class OrderPlan implements AsyncDisposable {
  readonly #shards: ReadonlyMap<Shard, PlannedShard>;
  readonly #horizon: PlanHorizon;
  readonly #deps: OrderPlanDeps;
  /** By socket; null for a mount that has no plan any more. */
  readonly #plans = new Map<string, MountPlan | null>();
  readonly #closing = new AbortController();
  /** What is told is told in order. */
  #telling: Promise<void> = Promise.resolve();

  /** Tells the beginning of the order; to be awaited before the first read. */
  static async begin(run: PlannedRun, deps: OrderPlanDeps): Promise<OrderPlan> {
    const plan = new OrderPlan(run, await plannedShards(run.roots, deps), deps);
    plan.#tell(plan.#horizon.head());
    await plan.#telling;
    return plan;
  }

  private constructor(
    { roots, seed, samples, readAheadBytes }: PlannedRun,
    shards: ReadonlyMap<Shard, PlannedShard>,
    deps: OrderPlanDeps,
  ) {
    this.#shards = shards;
    this.#deps = deps;
    this.#horizon = new PlanHorizon({
      order: shardOrder(roots, seed),
      epochShards: roots.reduce((sum, root) => sum + root.shards.length, 0),
      samples,
      headBytes: readAheadBytes,
    });
  }

  /** The run has taken all samples of one more shard, which had so many. */
  consumed(samples: number): void {
    if (this.#shards.size > 0) this.#tell(this.#horizon.consumed(samples));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#telling;
    for (const plan of this.#plans.values()) await plan?.[Symbol.asyncDispose]();
  }

  #tell(shards: readonly Shard[]): void {
    const files = Map.groupBy(
      shards.flatMap((shard) => this.#shards.get(shard) ?? []),
      ({ socket }) => socket,
    );
    for (const [socket, group] of files) {
      const names = group.map(({ file }) => file);
      this.#telling = this.#telling.then(() => this.#tellMount(socket, names));
    }
  }

  /** Never rejects. */
  async #tellMount(socket: string, files: readonly string[]): Promise<void> {
    const plan = this.#plans.get(socket);
    if (plan === null || this.#closing.signal.aborted) return;
    try {
      if (plan !== undefined) return await plan.append(files);
      this.#plans.set(socket, await this.#begin(socket, files));
      this.#deps.logger.debug("Told the mount the order of shards", { socket });
    } catch (error) {
      await plan?.[Symbol.asyncDispose]();
      this.#lose(socket, error);
    }
  }

  #begin(socket: string, files: readonly string[]): Promise<MountPlan> {
    const { clock, logger } = this.#deps;
    return MountPlan.begin(socket, files, {
      clock,
      signal: this.#closing.signal,
      onUnresolved: (count, first) =>
        logger.warn("The mount does not know shards of the plan", { socket, count, first }),
      onLost: (error) => this.#lose(socket, error),
    });
  }

  #lose(socket: string, error: unknown): void {
    if (this.#plans.get(socket) === null || this.#closing.signal.aborted) return;
    this.#plans.set(socket, null);
    this.#deps.logger.warn("Read on without telling the mount the order", { socket, error });
  }
}

/** The shards that lie on a mount. */
async function plannedShards(
  roots: readonly Root[],
  deps: OrderPlanDeps,
): Promise<ReadonlyMap<Shard, PlannedShard>> {
  const shards = new Map<Shard, PlannedShard>();
  for (const { path, shards: own } of roots) {
    try {
      const place = await planPlaceOf(path, deps);
      if (place === null) continue;
      const { socket } = place;
      for (const shard of own) shards.set(shard, { socket, file: planned(place, shard.name) });
    } catch (error) {
      deps.logger.warn("Read on without a plan", { root: path, error });
    }
  }
  return shards;
}
