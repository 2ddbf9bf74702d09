/**
 * What happens to a cache in the model test, as plain data: a sequence can be printed, repeated and
 * shortened. Handles and data files are numbered modulo what there is, so that a step keeps its
 * meaning when others are left out.
 */
import fc, { type Arbitrary } from "fast-check";

/** Objects of the store. */
export const FILES = 7;
/** Positions in a file are in thousandths of its size. */
export const POSITIONS = 1_000;

/** A range of an open object. */
export interface RangeStep {
  readonly handle: number;
  readonly at: number;
  readonly lengthBytes: number;
}

/** Something done to the store. */
export type ChangeStep =
  | { readonly op: "overwrite"; readonly file: number; readonly sizeBytes: number }
  | { readonly op: "remove"; readonly file: number };

/** How the store answers reads. */
export type StoreState = "up" | "down" | "breaking" | "reordering";

/** What happens to the disk of a cache while no process uses it. */
export type DamageStep =
  | { readonly what: "flip" | "cut" | "grow" | "lose"; readonly file: number; readonly at: number }
  | { readonly what: "swap"; readonly file: number; readonly other: number }
  | { readonly what: "flip index"; readonly at: number }
  | { readonly what: "lose index" };

/** One step. */
export type CacheStep =
  | ChangeStep
  | { readonly op: "open"; readonly file: number; readonly version: "current" | "last known" }
  | { readonly op: "close"; readonly handle: number }
  /** Ranges asked for at once; meanwhile, the store may change or the first reader go away. */
  | {
    readonly op: "read";
    readonly ranges: readonly RangeStep[];
    readonly meanwhile: ChangeStep | null;
    readonly interrupt: boolean;
  }
  /** Read from the beginning to the end. */
  | { readonly op: "scan"; readonly handle: number }
  | { readonly op: "warm"; readonly file: number }
  | { readonly op: "store"; readonly state: StoreState }
  /** Everything is closed and put away. */
  | { readonly op: "rest" }
  | { readonly op: "restart"; readonly damages: readonly DamageStep[] }
  /** kill -9 while `ranges` are being read. */
  | {
    readonly op: "kill";
    readonly ranges: readonly RangeStep[];
    readonly turns: number;
    readonly damages: readonly DamageStep[];
  };

/** A whole run. */
export interface CacheRun {
  readonly policy: "adaptive" | "lru" | "none";
  readonly steps: readonly CacheStep[];
}

const file = fc.nat({ max: FILES - 1 });
const any = fc.nat({ max: 1_000 });
const position = fc.nat({ max: POSITIONS });
/** Small, about a block, and several blocks; a file may be empty. */
const sizeBytes = fc.oneof(
  fc.nat({ max: 5_000 }),
  fc.integer({ min: 100_000, max: 300_000 }),
  fc.integer({ min: 300_000, max: 1_500_000 }),
);

const range: Arbitrary<RangeStep> = fc.record({
  handle: any,
  at: position,
  lengthBytes: fc.oneof(fc.integer({ min: 1, max: 8_192 }), fc.integer({ min: 1, max: 600_000 })),
});

const change: Arbitrary<ChangeStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant("overwrite" as const), file, sizeBytes }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("remove" as const), file }) },
);

const damage: Arbitrary<DamageStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom("flip" as const, "cut" as const, "grow" as const, "lose" as const),
      file: any,
      at: position,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant("swap" as const), file: any, other: any }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("flip index" as const), at: position }),
  },
  { weight: 1, arbitrary: fc.constant({ what: "lose index" as const }) },
);
const damages = fc.oneof(
  fc.constant([]),
  fc.array(damage, { minLength: 1, maxLength: 3 }),
);

const step: Arbitrary<CacheStep> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      op: fc.constant("open" as const),
      file,
      version: fc.constantFrom("current" as const, "current" as const, "last known" as const),
    }),
  },
  { weight: 7, arbitrary: fc.record({ op: fc.constant("close" as const), handle: any }) },
  {
    weight: 36,
    arbitrary: fc.record({
      op: fc.constant("read" as const),
      ranges: fc.array(range, { minLength: 1, maxLength: 6 }),
      meanwhile: fc.option(change, { freq: 1 }),
      interrupt: fc.nat({ max: 7 }).map((dice) => dice === 0),
    }),
  },
  { weight: 20, arbitrary: fc.record({ op: fc.constant("scan" as const), handle: any }) },
  { weight: 3, arbitrary: change },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("warm" as const), file }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("store" as const),
      state: fc.constantFrom<StoreState>("up", "up", "down", "breaking", "reordering"),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ op: "rest" as const }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("restart" as const), damages }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("kill" as const),
      ranges: fc.array(range, { maxLength: 4 }),
      turns: fc.nat({ max: 30 }),
      damages,
    }),
  },
);

/** Runs of up to `stepsMax` steps. */
export function cacheRuns(stepsMax: number): Arbitrary<CacheRun> {
  return fc.record({
    policy: fc.constantFrom("adaptive" as const, "lru" as const, "none" as const),
    steps: fc.array(step, { maxLength: stepsMax, size: "max" }),
  });
}
