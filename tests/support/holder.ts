/** Processes that keep a mount busy. */

/** A process that holds on to something until it is disposed. */
export interface Holder extends AsyncDisposable {
  readonly pid: number;
}

/** Ways to hold on to a file or directory, as shell that leaves the process holding it. */
const HOLDS = {
  "working directory": 'cd "$1"',
  "open file": 'exec 3<"$1"',
  /** As a container that was started beside it. */
  "mount namespace":
    "exec unshare --mount --propagation=private sh -c 'echo holding && exec sleep infinity'",
  "open file in a mount namespace": `exec unshare --mount --propagation=private sh -c '
      exec 3<"$1" && echo holding && exec sleep infinity' sh "$1"`,
} as const;

export type Hold = keyof typeof HOLDS;

/** Starts a process that holds on to `path`; resolves when it does. */
export async function holdOnTo(path: string, how: Hold): Promise<Holder> {
  const child = new Deno.Command("sh", {
    args: ["-c", `${HOLDS[how]} && echo holding && exec sleep infinity`, "sh", path],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  await reader.cancel();
  if (done) throw new Error(`Cannot hold on to "${path}": the process ended`);
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has been ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    },
  };
}
