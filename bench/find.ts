/** How long find(1) takes over a tree. */
import type { Clock } from "../cache/platform/clock.ts";

/**
 * Seconds that `find root -type f` takes.
 *
 * @throws when it fails or does not print `files` paths.
 */
export async function timeFind(
  root: string,
  files: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = clock.monotonicMs();
  const { success, stdout, stderr } = await new Deno.Command("find", {
    args: [root, "-type", "f", "-printf", "."],
    stdin: "null",
    signal,
  }).output();
  const seconds = (clock.monotonicMs() - startedMs) / 1_000;
  if (!success || stdout.length !== files) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`Find "${root}": ${stdout.length} files, wanted ${files}. ${said}`);
  }
  return seconds;
}
