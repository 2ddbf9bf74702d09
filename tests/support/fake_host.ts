/** A machine for checks that is what a test says it is. */
import type { Host } from "../../cache/platform/host.ts";

/** A status of a process that may mount. */
export const PRIVILEGED = "CapEff:\t000001ffffffffff\n";
/** One that may not. */
export const ORDINARY = "CapEff:\t0000000000000000\n";

/** A machine whose files are `texts` by path; it has /dev/fuse, no programs, and Linux 6.12. */
export function fakeHost(texts: Readonly<Record<string, string>>): Host {
  return {
    kernelRelease: "6.12.0",
    text: (path) => Promise.resolve(texts[path] ?? null),
    device: () => Promise.resolve("ok"),
    program: () => Promise.resolve(null),
    realPath: (path) => Promise.resolve(path),
  };
}
