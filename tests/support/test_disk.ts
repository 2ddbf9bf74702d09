/** Disks of their own for tests that fill, freeze or take away one. They need root. */
import { succeed } from "./command.ts";
import { unmountAll } from "./place.ts";

/** Reason to skip a test, for `ignore`. */
export const cannotMount = Deno.uid() !== 0;

/** A file system of a few megabytes, mounted at `path`; disposing unmounts and removes it. */
export interface TestDisk extends AsyncDisposable {
  readonly path: string;
}

/** One whose writers wait while it is frozen, as on a disk that does not answer. */
export interface FreezableDisk extends TestDisk {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** A disk in memory that is full after `sizeBytes`. */
export async function smallDisk(sizeBytes: number): Promise<TestDisk> {
  return await memoryDisk(`size=${sizeBytes}`);
}

/** A disk in memory that can hold `files` files and directories. */
export async function diskOfFewFiles(files: number): Promise<TestDisk> {
  return await memoryDisk(`size=${1 << 28},nr_inodes=${files}`);
}

async function memoryDisk(bounds: string): Promise<TestDisk> {
  const path = await Deno.makeTempDir({ prefix: "warpdrive-disk-" });
  await succeed("mount", "-t", "tmpfs", "-o", `${bounds},mode=700`, "tmpfs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await unmountAll(path);
      await Deno.remove(path);
    },
  };
}

/** An ext4 in a file of `sizeBytes`. */
export async function freezableDisk(sizeBytes: number): Promise<FreezableDisk> {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-disk-" });
  const image = `${root}/image`;
  const path = `${root}/disk`;
  await Deno.mkdir(path);
  await Deno.writeFile(image, new Uint8Array());
  await Deno.truncate(image, sizeBytes);
  await succeed("mkfs.ext4", "-q", "-m", "0", image);
  await succeed("mount", "-o", "loop", image, path);
  let frozen = false;
  const thaw = async () => {
    if (frozen) await succeed("fsfreeze", "--unfreeze", path);
    frozen = false;
  };
  return {
    path,
    async freeze() {
      await succeed("fsfreeze", "--freeze", path);
      frozen = true;
    },
    thaw,
    async [Symbol.asyncDispose]() {
      await thaw();
      await unmountAll(root);
      await Deno.remove(root, { recursive: true });
    },
  };
}
