/** A cache with plans on a trace: what comes from the origin, counted as the mount would. */
import type { ObjectEntry } from "../cache/backend/backend.ts";
import { residencyKey } from "../cache/disk/cache_space.ts";
import { Plan } from "../cache/plan/plan.ts";
import { fileKeyOf } from "../cache/plan/plan_files.ts";
import { PlanSet } from "../cache/plan/plan_set.ts";
import { createResidency } from "../cache/residency/resident_book.ts";
import type { Residency } from "../cache/residency/residency.ts";
import type { TraceRead } from "./trace_workloads.ts";

const BACKEND = "trace";
const VERSION = "v";

/** What a simulated cache is asked to do, and what that cost. */
export class PlannedCacheOnTrace {
  /** Bytes fetched so far, ahead of a reader and for one. */
  originBytes = 0;
  /** Bytes of reads that found everything there. */
  hitBytes = 0;
  /** Bytes that were fetched ahead and evicted before they were read. */
  wastedBytes = 0;
  nowMs = 0;
  readonly plans = new PlanSet();
  readonly #residency: Residency;
  readonly #resident = new Map<number, { readonly bytes: number; read: boolean }>();
  readonly #sizes = new Map<string, number>();
  readonly #live = new Set<Plan>();

  constructor(capacityBytes: number) {
    this.#residency = createResidency({ policy: "adaptive", capacityBytes, ghostsMax: 100_000 });
  }

  /** A plan of whole reads in the order of `reads`. */
  begin(reads: readonly TraceRead[], windowBytes: number): Plan {
    const plan = new Plan(() => windowBytes, this.nowMs);
    plan.append(
      reads.map(({ key }) => ({
        backend: BACKEND,
        path: String(key),
        offset: 0,
        length: Infinity,
      })),
      1,
    );
    for (const { key, sizeBytes } of reads) this.#sizes.set(String(key), sizeBytes);
    for (let file = 0; file < plan.files.count; file += 1) this.#look(plan, file);
    this.plans.add(plan);
    this.#live.add(plan);
    this.#feed(plan);
    return plan;
  }

  /** The process of `plan` is gone. */
  end(plan: Plan): void {
    this.plans.delete(plan);
    this.#live.delete(plan);
    for (let file = 0; file < plan.files.count; file += 1) this.#tell(plan, file);
  }

  /** The process of `plan` says what it reads next, by position. */
  report(plan: Plan, position: number): void {
    plan.reported(position, this.nowMs);
    this.#feed(plan);
  }

  /** A file is opened and read to its end. */
  read({ key, sizeBytes }: TraceRead): void {
    this.nowMs += 10;
    const path = String(key);
    this.#sizes.set(path, sizeBytes);
    const object = residencyKey(BACKEND, path, VERSION);
    // What is open is no victim, however far off its next use is.
    this.#residency.hold(object);
    for (const plan of this.#live) plan.opened(fileKeyOf({ backend: BACKEND, path }), this.nowMs);
    for (const plan of this.#live) this.#feed(plan);
    for (const plan of this.plans.follow(this.nowMs)) {
      for (let file = 0; file < plan.files.count; file += 1) this.#tell(plan, file);
    }
    this.#residency.access(object, sizeBytes);
    const resident = this.#resident.get(object);
    if (resident === undefined) this.#fetch(object, sizeBytes, true);
    else {
      resident.read = true;
      this.hitBytes += sizeBytes;
    }
    this.#residency.release(object);
  }

  #feed(plan: Plan): void {
    for (const file of plan.takeChanged(1e9)) this.#tell(plan, file);
    for (let step = plan.next(); step.kind !== "wait"; step = plan.next()) {
      if (step.kind === "look") {
        this.#look(plan, step.file);
        continue;
      }
      this.#tell(plan, step.file);
      const object = plan.files.objectOf(step.file) ?? 0;
      if (!this.#resident.has(object)) this.#fetch(object, step.lengthBytes, false);
    }
  }

  #look(plan: Plan, file: number): void {
    const { path } = plan.files.at(file);
    plan.files.found(file, entryOf(path, this.#sizes.get(path) ?? 0));
    this.#tell(plan, file);
  }

  #tell(plan: Plan, file: number): void {
    const object = plan.files.objectOf(file);
    if (object !== null) {
      this.#residency.planned(object, this.plans.nextUseMs(plan.files.key(file)));
    }
  }

  #fetch(object: number, bytes: number, read: boolean): void {
    this.originBytes += bytes;
    const admission = this.#residency.admit(object, bytes);
    if (admission.kind === "refuse") {
      if (!read) this.wastedBytes += bytes;
      return;
    }
    for (const victim of admission.evict) {
      const left = this.#resident.get(victim);
      if (left?.read === false) this.wastedBytes += left.bytes;
      this.#resident.delete(victim);
    }
    this.#resident.set(object, { bytes, read });
  }
}

function entryOf(path: string, sizeBytes: number): ObjectEntry {
  const modified = { seconds: 0, nanoseconds: 0 };
  return {
    kind: "object",
    name: path,
    sizeBytes,
    version: VERSION,
    etag: null,
    modified,
    posix: null,
  };
}
