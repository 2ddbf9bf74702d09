/**
 * The book of what is in the cache: charges, holds, ghosts and plans, the same for every policy.
 * What differs between policies is the order in which residents leave (`victim_order.ts`).
 */
import { GenerationOrder } from "./generation_order.ts";
import { NextUseHeap } from "./next_use_heap.ts";
import { ObjectRows } from "../index/object_rows.ts";
import { assert } from "../platform/assert.ts";
import { RecencyOrder } from "./recency_order.ts";
import type {
  Admission,
  Departure,
  EvictionReach,
  ObjectKey,
  Residency,
  ResidencySettings,
  Standing,
} from "./residency.ts";
import { NO_ROW, RowLists } from "../index/row_lists.ts";
import type { VictimOrder } from "./victim_order.ts";

const REFUSE: Admission = { kind: "refuse" };

/**
 * Flags of an object. Where it is booked follows from them: nowhere when it is held, else in the
 * list of ghosts when it is not resident, in the heap when it is planned, in the order of the
 * policy otherwise.
 */
const RESIDENT = 1;
const HELD = 2;

const GHOSTS = 0;

/** An empty residency. */
export function createResidency(settings: ResidencySettings): Residency {
  const { policy, capacityBytes } = settings;
  const order = policy === "adaptive"
    ? new GenerationOrder(capacityBytes)
    : new RecencyOrder(policy);
  return new ResidentBook(settings, order);
}

class ResidentBook implements Residency {
  #capacityBytes: number;
  readonly #ghostsMax: number;
  readonly #order: VictimOrder;
  readonly #rows = new ObjectRows();
  /** Ghosts, the longest unread first. */
  readonly #ghosts = new RowLists(1);
  readonly #planned = new NextUseHeap();
  #flags = new Uint8Array(0);
  #charges = new Float64Array(0);
  #usedBytes = 0;
  #count = 0;
  #ghostCount = 0;

  constructor(settings: ResidencySettings, order: VictimOrder) {
    this.#capacityBytes = settings.capacityBytes;
    // The object that is about to be admitted is one.
    this.#ghostsMax = Math.max(1, settings.ghostsMax);
    this.#order = order;
    this.#reserve();
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get count(): number {
    return this.#count;
  }

  resize(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
    this.#order.resize(capacityBytes);
  }

  access(key: ObjectKey, sizeBytes: number): void {
    const row = this.#rowOf(key);
    this.#leave(row);
    this.#order.accessed(row, sizeBytes);
    this.#enter(row);
  }

  admit(key: ObjectKey, chargeBytes: number): Admission {
    assert(chargeBytes >= 0, "A charge is not negative");
    const row = this.#rowOf(key);
    const freeBytes = this.#capacityBytes - this.#usedBytes;
    const wantedBytes = chargeBytes - this.#charge(row) - freeBytes;
    // While it is a candidate it is not among its own victims.
    this.#leave(row);
    const beats = (victim: number) => this.#beats(row, victim);
    const victims = chargeBytes <= this.#charge(row) ? [] : this.#victims(wantedBytes, beats);
    if (victims !== null) this.#setCharge(row, chargeBytes);
    this.#enter(row);
    if (victims === null) return REFUSE;
    return { kind: "admit", evict: victims.map((victim) => this.#evicted(victim)) };
  }

  claim(key: ObjectKey, chargeBytes: number): Admission {
    const row = this.#rowOf(key);
    const wantedBytes = chargeBytes - this.#charge(row) - (this.#capacityBytes - this.#usedBytes);
    this.#leave(row);
    const victims = this.#victims(wantedBytes, (victim) => !this.#isPlanned(victim));
    if (victims !== null) {
      this.#setCharge(row, Math.max(chargeBytes, this.#charge(row)));
      this.#order.claimed(row, chargeBytes);
    }
    this.#enter(row);
    if (victims === null) return REFUSE;
    return { kind: "admit", evict: victims.map((victim) => this.#evicted(victim)) };
  }

  describe(key: ObjectKey): Standing | null {
    const row = this.#rows.find(key);
    if (row === NO_ROW || !this.#is(row, RESIDENT)) return null;
    return { chargeBytes: this.#charge(row), departure: this.#departure(row) };
  }

  restore(key: ObjectKey, chargeBytes: number): void {
    const isNew = this.#rows.find(key) === NO_ROW;
    const row = this.#rowOf(key);
    this.#leave(row);
    if (isNew) this.#order.restored(row, chargeBytes);
    this.#setCharge(row, chargeBytes);
    this.#enter(row);
  }

  removed(key: ObjectKey): void {
    const row = this.#rows.find(key);
    if (row === NO_ROW || !this.#is(row, RESIDENT)) return;
    this.#leave(row);
    this.#evicted(row);
  }

  hold(key: ObjectKey): void {
    const row = this.#rowOf(key);
    this.#leave(row);
    this.#set(row, HELD);
    this.#enter(row);
  }

  release(key: ObjectKey): void {
    const row = this.#rows.find(key);
    if (row === NO_ROW) return;
    this.#leave(row);
    this.#clear(row, HELD);
    this.#enter(row);
    this.#forgetGhosts();
  }

  planned(key: ObjectKey, nextUse: number): void {
    // The end of a plan is told for all of its objects: those nobody knows have none.
    if (nextUse === Infinity && this.#rows.find(key) === NO_ROW) return;
    const row = this.#rowOf(key);
    this.#leave(row);
    this.#planned.plan(row, nextUse);
    this.#enter(row);
  }

  evict(bytesWanted: number, reach: EvictionReach): ObjectKey[] {
    const keys: ObjectKey[] = [];
    for (let bytes = 0; bytes < bytesWanted;) {
      const row = this.#nextVictim();
      if (row === NO_ROW) break;
      if (reach === "dead" && (this.#isPlanned(row) || !this.#order.isDead(row))) break;
      bytes += this.#charge(row);
      this.#leave(row);
      keys.push(this.#evicted(row));
    }
    return keys;
  }

  /** Takes residents worth `bytesWanted` out of the queue; null when one of them has to stay. */
  #victims(bytesWanted: number, mayLeave: (victim: number) => boolean): number[] | null {
    const victims: number[] = [];
    if (bytesWanted > 0 && !this.#order.displaces) return null;
    let bytes = 0;
    while (bytes < bytesWanted) {
      const row = this.#nextVictim();
      if (row === NO_ROW || !mayLeave(row)) {
        for (const victim of victims.reverse()) this.#unleave(victim);
        return null;
      }
      bytes += this.#charge(row);
      this.#leave(row);
      victims.push(row);
    }
    return victims;
  }

  #departure(row: number): Departure {
    if (this.#is(row, HELD)) return { kind: "held" };
    const nextUse = this.#planned.nextUse(row);
    if (nextUse !== Infinity) return { kind: "planned", nextUse };
    if (this.#order.isDead(row)) return { kind: "dead" };
    return { kind: "ranked", worth: this.#order.worth(row) };
  }

  #beats(candidate: number, victim: number): boolean {
    const [mine, theirs] = [this.#planned.nextUse(candidate), this.#planned.nextUse(victim)];
    if (mine !== Infinity || theirs !== Infinity) return mine < theirs;
    return this.#order.beats(candidate, victim);
  }

  #nextVictim(): number {
    const row = this.#order.next();
    return row === NO_ROW ? this.#planned.furthest() : row;
  }

  /** Books the end of a resident that is in no queue. */
  #evicted(row: number): ObjectKey {
    this.#usedBytes -= this.#charge(row);
    this.#charges[row] = 0;
    this.#count -= 1;
    this.#clear(row, RESIDENT);
    const key = this.#rows.key(row);
    this.#enter(row);
    this.#forgetGhosts();
    return key;
  }

  #setCharge(row: number, chargeBytes: number): void {
    this.#usedBytes += chargeBytes - this.#charge(row);
    this.#charges[row] = chargeBytes;
    if (this.#is(row, RESIDENT)) return;
    this.#set(row, RESIDENT);
    this.#count += 1;
  }

  /** Takes a row out of wherever it is booked. */
  #leave(row: number): void {
    if (this.#is(row, HELD)) return;
    if (!this.#is(row, RESIDENT)) {
      this.#ghosts.unlink(row);
      this.#ghostCount -= 1;
    } else if (this.#isPlanned(row)) this.#planned.remove(row);
    else this.#order.unqueue(row);
  }

  #enter(row: number): void {
    if (this.#is(row, HELD)) return;
    if (!this.#is(row, RESIDENT)) {
      this.#ghosts.append(GHOSTS, row);
      this.#ghostCount += 1;
    } else if (this.#isPlanned(row)) this.#planned.add(row);
    else this.#order.queue(row);
  }

  /** Puts a resident back where it left from, at the front. */
  #unleave(row: number): void {
    if (this.#isPlanned(row)) this.#planned.add(row);
    else this.#order.requeue(row);
  }

  #is(row: number, flag: number): boolean {
    return ((this.#flags[row] ?? 0) & flag) !== 0;
  }

  #set(row: number, flag: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) | flag;
  }

  #clear(row: number, flag: number): void {
    this.#flags[row] = (this.#flags[row] ?? 0) & ~flag;
  }

  #isPlanned(row: number): boolean {
    return this.#planned.nextUse(row) !== Infinity;
  }

  #charge(row: number): number {
    return this.#charges[row] ?? 0;
  }

  #rowOf(key: ObjectKey): number {
    const known = this.#rows.find(key);
    if (known !== NO_ROW) return known;
    const row = this.#rows.add(key);
    if (this.#rows.capacity > this.#charges.length) this.#reserve();
    this.#flags[row] = 0;
    this.#charges[row] = 0;
    this.#planned.plan(row, Infinity);
    this.#order.begin(row);
    this.#enter(row);
    this.#forgetGhosts();
    return row;
  }

  #forgetGhosts(): void {
    while (this.#ghostCount > this.#ghostsMax) {
      const row = this.#ghosts.first(GHOSTS);
      this.#leave(row);
      this.#rows.remove(row);
    }
  }

  #reserve(): void {
    const rows = this.#rows.capacity;
    const flags = new Uint8Array(rows);
    flags.set(this.#flags);
    this.#flags = flags;
    const charges = new Float64Array(rows);
    charges.set(this.#charges);
    this.#charges = charges;
    this.#ghosts.reserve(rows);
    this.#planned.reserve(rows);
    this.#order.reserve(rows);
  }
}
