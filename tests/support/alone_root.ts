/**
 * The compiled program alone: in a root that holds nothing but it, libc and three devices, all
 * read-only, and in a network that has the loopback alone.
 */
import { join } from "node:path/posix";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { installed, run } from "./command.ts";

/** Directories of the root that can be written: one for what is meant to stay, one by mistake. */
export const WORK = "/work";
export const TEMPORARY = "/tmp";

/** Names the program may be called by. */
export const LINKS = ["mount", "ctl", "bench", "forge"];

const PREPARE = `
set -e
root=$1 program=$2
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir dev proc home work tmp wd
cp "$program" warpdrive
for name in ${LINKS.join(" ")}; do ln -s warpdrive "warpdrive-$name"; done
ldd warpdrive | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p ".$(dirname "$library")"
  cp -L "$library" ".$library"
done
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/urandom c 1 9
mknod -m 600 dev/fuse c 10 229
mount -t proc proc proc
mount -t tmpfs tmpfs work
mount -t tmpfs tmpfs tmp
mount -o remount,ro "$root"
shift 2
exec "$@"
`;

/** What the tests inside are told. */
const ROOT_VARIABLE = "WARPDRIVE_ALONE_ROOT";

/** The root, where the tests run inside; null outside. */
export function aloneRoot(): string | null {
  return Deno.env.get(ROOT_VARIABLE) ?? null;
}

/** Runs the test file at `path` inside, with `program` in the root; what it printed. */
export async function testAlone(path: string, program: string): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-alone-" });
  try {
    const config = join(REPOSITORY, "deno.json");
    const tests = [Deno.execPath(), "test", "-A", "--no-check", "--config", config, path];
    const prepared = ["sh", "-c", PREPARE, "sh", root, program, ...tests];
    const inside = ["env", `${ROOT_VARIABLE}=${root}`, "NO_COLOR=1", ...prepared];
    const { code, stdout, stderr } = await run("unshare", "--mount", "--net", "--", ...inside);
    if (code !== 0) throw new Error(`The tests inside failed:\n${stdout}${stderr}`);
    return stdout;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Whether this machine can make such a root. */
export function canBeAlone(): boolean {
  return Deno.uid() === 0 && installed("unshare") && installed("ip");
}

/** A command that runs `name` of the root with no PATH and a home that cannot be written. */
export function aloneCommand(
  root: string,
  name: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Deno.Command {
  return new Deno.Command(programAt("chroot"), {
    args: [root, `/${name}`, ...args],
    clearEnv: true,
    env: { HOME: "/home", TMPDIR: TEMPORARY, ...variables },
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function programAt(name: string): string {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = join(directory, name);
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`Find program "${name}": it is nowhere on PATH`);
}
