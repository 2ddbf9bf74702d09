/** A disk of its own for a booted system: a file behind a loop device. */
import type { BootedSystem } from "./booted_system.ts";
import { run, succeed } from "./command.ts";

const DISK_BYTES = 256 * 1024 * 1024;
/** Block devices of this kind (Documentation/admin-guide/devices.txt). */
const LOOP_MAJOR = "7";

/** The disk; disposing detaches it, once nothing uses it any more. */
export class LoopDisk implements AsyncDisposable {
  /** The device, outside and inside. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes `file` the disk of `system`. Nothing is on it. */
  static async attach(file: string, system: BootedSystem): Promise<LoopDisk> {
    await Deno.writeFile(file, new Uint8Array());
    await Deno.truncate(file, DISK_BYTES);
    const path = (await succeed("losetup", "--find", "--show", file)).trim();
    const disk = new LoopDisk(path);
    try {
      const number = path.slice("/dev/loop".length);
      await system.succeed("mknod", path, "b", LOOP_MAJOR, number);
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With a file system still mounted it is detached when that goes.
    await run("losetup", "--detach", this.path);
  }
}
