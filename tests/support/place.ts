/** A temporary place for one test: a source, a mount point, and nothing left of them afterwards. */
import { Libc } from "../../cache/platform/libc.ts";
import { parseMountTable } from "../../cache/platform/mount_table.ts";

const MNT_FORCE = 1;
const MNT_DETACH = 2;

/** Directories of their own; disposing takes away what is mounted there, and them. */
export interface Place extends AsyncDisposable {
  readonly root: string;
  /** What a local backend shows. */
  readonly source: string;
  /** Empty. */
  readonly mountPoint: string;
  /** Writes `settings` as the configuration file; its path. JSON is YAML. */
  configure(settings: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Makes the directories. */
export async function createPlace(): Promise<Place> {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-" });
  const source = `${root}/source`;
  const mountPoint = `${root}/mount`;
  // Tests that act as another user have to reach it.
  await Deno.chmod(root, 0o755);
  await Deno.mkdir(source);
  await Deno.mkdir(mountPoint);
  return {
    root,
    source,
    mountPoint,
    async configure(settings) {
      const path = `${root}/config.yaml`;
      await Deno.writeTextFile(path, JSON.stringify(settings, null, 2));
      return path;
    },
    async [Symbol.asyncDispose]() {
      await unmountAll(root);
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** Mount points at and below `directory`, the innermost first. */
export async function mountsBelow(directory: string): Promise<readonly string[]> {
  const table = parseMountTable(await Deno.readTextFile("/proc/self/mountinfo"));
  return table.map(({ mountPoint }) => mountPoint)
    .filter((path) => path === directory || path.startsWith(`${directory}/`)).reverse();
}

/** Ends every mount at and below `directory`, whoever uses it and whether or not it answers. */
export async function unmountAll(directory: string): Promise<void> {
  for (const path of await mountsBelow(directory)) await forceUnmount(path);
}

async function forceUnmount(path: string): Promise<void> {
  // Force fails all requests that wait for an answer, so that nothing stays stuck in the kernel.
  if (await Libc.open().unmountLater(path, MNT_FORCE | MNT_DETACH)) return;
  // Not root: only the helper may.
  const { success, stderr } = await new Deno.Command("fusermount3", { args: ["-uz", "--", path] })
    .output();
  if (success) return;
  throw new Error(`Cannot unmount "${path}": ${new TextDecoder().decode(stderr)}`);
}
