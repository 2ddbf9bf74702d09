/** Takes the network away from a program, where this machine lets us. */
import { plainEnvironment, runChild } from "./children.ts";

/**
 * The words before a command line that run it in a network namespace of its own, which has no way
 * out: not to a store, not to a metadata endpoint. Sockets of the file system, such as those of a
 * mount, are reached as ever. Empty where the kernel does not allow it.
 */
export async function withoutNetwork(signal: AbortSignal): Promise<readonly string[]> {
  const flags = Deno.uid() === 0 ? ["--net"] : ["--map-current-user", "--net"];
  try {
    const { code } = await runChild({
      words: ["unshare", ...flags, "true"],
      directory: "/",
      env: plainEnvironment(),
    }, signal);
    return code === 0 ? ["unshare", ...flags] : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
