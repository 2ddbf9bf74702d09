/**
 * What `deno compile` puts the program behind, where it cannot be downloaded from Deno itself: many
 * build machines reach package registries only.
 *
 * The PyPI wheel of bids-validator-deno is a program compiled with Deno 2.6.10. A compiled program
 * is the plain runtime followed by its payload, so the runtime is the file up to the end of the ELF
 * section table. Deno 2.6.10 itself, which must do the compiling then, is on PyPI as a wheel too.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Target } from "./build_target.ts";

/** Version of the runtime and of the Deno that goes with it. */
export const STUB_DENO_VERSION = "2.6.10";
const PROGRAM_WHEEL = "bids-validator-deno==2.4.1";

/** A runtime of the wheel: how pip calls the machine, and what the runtime has to be. */
interface Stub {
  readonly platform: string;
  readonly sha256: string;
}

const STUBS: Readonly<Record<Target, Stub>> = {
  "x86_64-unknown-linux-gnu": {
    platform: "manylinux_2_27_x86_64",
    sha256: "1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2",
  },
  "aarch64-unknown-linux-gnu": {
    platform: "manylinux_2_27_aarch64",
    sha256: "ee39b54b2f465eae3f1dd3d79495e1ef957fae69ff4f6ad118499986b714d494",
  },
};

/** A Deno and the runtime it can compile with. */
export interface Compiler {
  /** Path of the `deno` program. */
  readonly deno: string;
  /** Value of DENORT_BIN for it; null when it fetches the runtime itself. */
  readonly runtime: string | null;
}

/** The part of a compiled program that is the runtime: up to the end of its section table. */
export function cutRuntime(program: Uint8Array): Uint8Array {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const isElf64 = program.length > 0x40 && view.getUint32(0) === 0x7f454c46 &&
    view.getUint8(4) === 2;
  if (!isElf64) throw new Error("Cut the runtime off: not a 64-bit ELF program");
  // e_shoff, e_shentsize and e_shnum of Elf64_Ehdr (elf.h).
  const end = Number(view.getBigUint64(0x28, true)) +
    view.getUint16(0x3a, true) * view.getUint16(0x3c, true);
  if (end > program.length) throw new Error("Cut the runtime off: section table beyond the end");
  return program.subarray(0, end);
}

/**
 * The compiler for `target` made of the wheels, downloaded once into `cache`.
 *
 * @throws {Error} when pip, the wheels or the expected content are not to be had.
 */
export async function stubCompiler(cache: string, target: Target): Promise<Compiler> {
  const home = join(cache, STUB_DENO_VERSION);
  const compiler = { deno: join(home, "deno"), runtime: join(home, `denort-${target}`) };
  if (exists(compiler.deno) && exists(compiler.runtime)) return compiler;
  await Deno.mkdir(home, { recursive: true });
  const work = await Deno.makeTempDir({ dir: home });
  try {
    const { platform, sha256 } = STUBS[target];
    await download(work, PROGRAM_WHEEL, ["--platform", platform, "--only-binary=:all:"]);
    const runtime = cutRuntime(await unpacked(work, "bids_validator_deno-", "bids-validator-deno"));
    const digest = createHash("sha256").update(runtime).digest("hex");
    if (digest !== sha256) {
      throw new Error(`Check the runtime of ${PROGRAM_WHEEL}: ${digest}, wanted ${sha256}`);
    }
    await install(compiler.runtime, runtime);
    await download(work, `deno==${STUB_DENO_VERSION}`, []);
    await install(compiler.deno, await unpacked(work, "deno-", "deno"));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return compiler;
}

/** Has pip fetch a wheel into `directory`, by default the one for this machine. */
async function download(
  directory: string,
  wheel: string,
  flags: readonly string[],
): Promise<void> {
  const fetched = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory];
  await python([...fetched, ...flags, wheel]);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function python(args: readonly string[]): Promise<void> {
  const command = new Deno.Command("python3", { args: [...args], stdin: "null" });
  const { success } = await command.spawn().status;
  if (!success) {
    throw new Error(`Run "python3 ${args.join(" ")}": it failed, wanted python3 with pip`);
  }
}

/** The script `name` of the wheel in `directory` whose file name begins with `prefix`. */
async function unpacked(directory: string, prefix: string, name: string): Promise<Uint8Array> {
  const wheel = [...Deno.readDirSync(directory)].find((entry) => entry.name.startsWith(prefix));
  if (wheel === undefined) throw new Error(`Unpack "${prefix}*.whl": pip downloaded no such file`);
  const target = join(directory, `${prefix}unpacked`);
  await python(["-m", "zipfile", "-e", join(directory, wheel.name), target]);
  for (const entry of Deno.readDirSync(target)) {
    const path = join(target, entry.name, "scripts", name);
    if (entry.name.endsWith(".data") && exists(path)) return await Deno.readFile(path);
  }
  throw new Error(`Unpack "${wheel.name}": no script "${name}" in it`);
}

/** Appears at `path` complete or not at all, whatever else builds at the same time. */
async function install(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(temporary, bytes, { mode: 0o755 });
  await Deno.rename(temporary, path);
}
