/** What a process has open. */

/** How many descriptors of process `pid` are of what begins with `target`. */
export async function descriptorsOf(pid: number, target: string): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const link = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    if (link.startsWith(target)) count += 1;
  }
  return count;
}
