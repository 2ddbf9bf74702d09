/** The mount table of this process, `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Pure. */

/** Type of our mounts in the table, by which they are recognised. */
export const OUR_FILE_SYSTEM_TYPE = "fuse.warpdrive";

/** One line of the table. */
export interface MountEntry {
  readonly mountPoint: string;
  /** `major:minor` of its device, by which `/sys/class/bdi` knows it. */
  readonly device: string;
  /** File system type, `fuse.warpdrive` for ours. */
  readonly type: string;
  readonly source: string;
}

/** The entries of `text`, in the order they were mounted; lines of another form are left out. */
export function parseMountTable(text: string): readonly MountEntry[] {
  return text.split("\n").flatMap((line) => {
    // A variable number of optional fields ends with a lone dash.
    const [left = "", right = ""] = line.split(" - ", 2);
    const [, , device, , mountPoint] = left.split(" ");
    const [type, source] = right.split(" ");
    if (device === undefined || mountPoint === undefined) return [];
    if (type === undefined || source === undefined) return [];
    return [{ mountPoint: unescapeField(mountPoint), device, type, source: unescapeField(source) }];
  });
}

/** What is mounted at exactly `path`: the last entry covers those before it. */
export function mountAt(entries: readonly MountEntry[], path: string): MountEntry | null {
  return entries.findLast((entry) => entry.mountPoint === path) ?? null;
}

/** The mount that `path`, its links resolved, lies on; null where the table does not have it. */
export function mountAbove(entries: readonly MountEntry[], path: string): MountEntry | null {
  const above = entries.filter(({ mountPoint }) =>
    `${path}/`.startsWith(mountPoint.endsWith("/") ? mountPoint : `${mountPoint}/`)
  );
  return above.reduce<MountEntry | null>(
    (best, entry) =>
      best === null || entry.mountPoint.length >= best.mountPoint.length ? entry : best,
    null,
  );
}

/** Space, tab, newline and backslash are written as three octal digits behind a backslash. */
function unescapeField(field: string): string {
  return field.replace(
    /\\([0-7]{3})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
  );
}
