/** Which program this is; the one place that `--version`, metrics and reports ask. */
import manifest from "../../deno.json" with { type: "json" };

/** Version of this release, from `deno.json`. */
export const VERSION: string = manifest.version;

/** Commit it was built from. The build replaces this constant; a run from source has none. */
export const COMMIT: string = "source";
