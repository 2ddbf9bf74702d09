/** `POST /v1/verify`: rereads what is cached and compares it with its checksums. */
import { z } from "zod";
import type {
  VerifyObserver,
  VerifyOutcome,
  VerifyProgress,
} from "../cache/operations/cache_verifier.ts";
import { type CachedTree, shownPlace } from "../cache/operations/cached_places.ts";
import type { CachedRow, Totals } from "../cache/index/rows.ts";
import type { Endpoint } from "./api.ts";
import { AMOUNT, CACHE_PATHS } from "./api_cache_paths.ts";

/** Damaged objects named in an answer. */
export const DAMAGED_NAMES_MAX = 100;

/** How far it has come. */
const FOUND = z.object({
  /** Objects read back, and their bytes that have their checksums. */
  objects: AMOUNT,
  bytes: AMOUNT,
  damaged_objects: AMOUNT,
  damaged_bytes: AMOUNT,
});

const PROGRESS = z.object({
  ...FOUND.shape,
  /** What the whole cache held at the beginning; null where paths were given. */
  objects_total: AMOUNT.nullable(),
  bytes_total: AMOUNT.nullable(),
});
export type VerifyProgressRecord = z.infer<typeof PROGRESS>;

const VERIFIED = z.object({
  ...FOUND.shape,
  /** `disk_failed`: what had not been read back by then is not known. */
  state: z.enum(["verified", "disk_failed"]),
  /** Why the disk failed. */
  reason: z.string().nullable(),
  /** The first objects that were damaged. What was bad of them is dropped and fetched again. */
  damaged: z.array(z.object({ path: z.string(), bytes: AMOUNT })).max(DAMAGED_NAMES_MAX),
});
export type VerifyAnswer = z.infer<typeof VERIFIED>;

/** Rereads what is cached at the paths and below them; without paths, all of it. */
export const VERIFY = {
  method: "POST",
  path: "/v1/verify",
  request: z.strictObject({ paths: CACHE_PATHS.default([]) }),
  answer: z.discriminatedUnion("event", [
    z.object({ event: z.literal("progress"), ...PROGRESS.shape }),
    z.object({ event: z.literal("done"), ...VERIFIED.shape }),
  ]),
  form: "stream",
} satisfies Endpoint;

/** Follows a verification, and says on the wire how it goes and how it ended. */
export class VerifyReport implements VerifyObserver {
  readonly #totals: Totals | null;
  readonly #tree: CachedTree;
  readonly #damaged: { readonly path: string; readonly bytes: number }[] = [];
  #found: VerifyProgress = { objects: 0, bytes: 0, damagedBytes: 0, damagedObjects: 0 };

  /** @param totals What is to be read back; null where nobody counted it. */
  constructor(totals: Totals | null, tree: CachedTree) {
    this.#totals = totals;
    this.#tree = tree;
  }

  readonly progress = (found: VerifyProgress): void => {
    this.#found = found;
  };

  readonly damaged = (row: CachedRow, bytes: number): void => {
    if (this.#damaged.length >= DAMAGED_NAMES_MAX) return;
    this.#damaged.push({ path: shownPlace(row, this.#tree), bytes });
  };

  /** How far it has come. */
  get state(): VerifyProgressRecord {
    return {
      ...foundOnTheWire(this.#found),
      objects_total: this.#totals?.objects ?? null,
      bytes_total: this.#totals?.cachedBytes ?? null,
    };
  }

  /** How it ended. */
  answer(outcome: VerifyOutcome): VerifyAnswer {
    const hasFailed = outcome.kind === "disk failed";
    return {
      ...foundOnTheWire(outcome.found),
      state: hasFailed ? "disk_failed" : "verified",
      reason: hasFailed ? outcome.reason : null,
      damaged: [...this.#damaged],
    };
  }
}

function foundOnTheWire({ objects, bytes, damagedObjects, damagedBytes }: VerifyProgress) {
  return { objects, bytes, damaged_objects: damagedObjects, damaged_bytes: damagedBytes };
}
