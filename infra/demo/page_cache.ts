/**
 * Empties the kernel's page cache of some files, so that what is read next comes from the disk.
 * The rest of the machine keeps its pages; no privilege is needed, only GNU dd.
 */
import { plainEnvironment, runChild } from "./children.ts";

/** dd without a count of blocks reads nothing, and tells the kernel to drop the whole file. */
const DROP = `
sync -d -- "$@" || exit
for file do dd if="$file" iflag=nocache count=0 status=none || exit; done
`;

/** Drops the pages of `paths`; false where this machine has no dd that can. */
export async function dropPages(paths: readonly string[], signal: AbortSignal): Promise<boolean> {
  if (paths.length === 0) return true;
  const { code } = await runChild({
    words: ["sh", "-c", DROP, "sh", ...paths],
    directory: "/",
    env: plainEnvironment(),
  }, signal);
  return code === 0;
}
