/** What the calls that change the cache have in common. */
import { z } from "zod";

/** Paths in one call. */
export const CACHE_PATHS_MAX = 10_000;

/** Files or directories, absolute without links, or relative to the mount point. */
export const CACHE_PATHS = z.array(z.string().min(1)).max(CACHE_PATHS_MAX);

export const AMOUNT = z.int().nonnegative();

/** Comes each second while the work goes on: who waits can tell it from a mount that died. */
export const WORKING = z.object({ event: z.literal("working") });
