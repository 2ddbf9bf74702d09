/**
 * Metrics of the process itself, under the names every Prometheus client uses. prom-client's own
 * collection reads Node internals that Deno fills with zeros (CPU time), hence these.
 */

/** A moment of the process. */
export interface ProcessSample {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly openDescriptors: number;
  readonly startSeconds: number;
}

/** Ticks per second of /proc/PID/stat: USER_HZ, which Linux fixes at 100 on x86-64 and aarch64. */
const TICKS_PER_SECOND = 100;

/**
 * CPU time and start of a process.
 *
 * @param stat Content of /proc/PID/stat (see proc(5)).
 * @param systemStat Content of /proc/stat, for the time the machine booted.
 */
export function parseProcessStat(
  stat: string,
  systemStat: string,
): { readonly cpuSeconds: number; readonly startSeconds: number } {
  // The second field is the program's name in parentheses and may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  // Fields are counted from 1 in proc(5) and the first one here is the third.
  const field = (number: number) => fields[number - 3] ?? 0;
  const bootSeconds = Number(/^btime (\d+)$/m.exec(systemStat)?.[1] ?? 0);
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    startSeconds: bootSeconds + field(22) / TICKS_PER_SECOND,
  };
}

/** This process now. Reads a few files of /proc, which never wait for a disk. */
export function sampleProcess(): ProcessSample {
  const times = parseProcessStat(
    Deno.readTextFileSync("/proc/self/stat"),
    Deno.readTextFileSync("/proc/stat"),
  );
  let entries = 0;
  for (const _ of Deno.readDirSync("/proc/self/fd")) entries += 1;
  return {
    ...times,
    residentBytes: Deno.memoryUsage().rss,
    // The directory being read is one of them.
    openDescriptors: entries - 1,
  };
}
