/** What numbers mean nothing without: the machine and the commit they were measured on. */

/** Where a run took place. */
export interface Place {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly deno: string;
  readonly commit: string;
  /** Runnable processes when it began: a busy machine measures its other work. */
  readonly load: number;
}

/** This machine, with the file system of `directory` and the commit of `repository`. */
export async function thisPlace(directory: string, repository: string): Promise<Place> {
  const processor = /^model name\s*:\s*(.+)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const head = await output("git", ["-C", repository, "rev-parse", "--short=12", "HEAD"]);
  const changes = await output("git", [
    ...["-C", repository, "status", "--porcelain", "--", "cache", "mount", "main.ts"],
  ]);
  return {
    processor: processor ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryGib: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    kernel: Deno.osRelease(),
    // The heading comes first.
    fileSystem: (await output("df", ["--output=fstype", directory])).split("\n")[1] ?? "unknown",
    deno: Deno.version.deno,
    commit: head === "" ? "unknown" : head + (changes === "" ? "" : " with changes"),
    load: Deno.loadavg()[0] ?? NaN,
  };
}

/** What `program` prints; nothing where it fails or is not installed. */
async function output(program: string, args: readonly string[]): Promise<string> {
  try {
    const command = new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
