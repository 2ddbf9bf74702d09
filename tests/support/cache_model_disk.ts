/** What the model test sees of a cache's disk past the cache, and what it does to it. */
import type { CachedRow } from "../../cache/index/rows.ts";
import { dataFilesIn } from "./cache_process.ts";
import { type DamageStep, POSITIONS } from "./cache_model_steps.ts";
import { openIndex } from "./cached_rows.ts";

/** Files take whole pages, and a page or two of the file system's own. */
export const ROUNDING_BYTES = 12 * 1024;
const ROWS_MAX = 1_000;
const COPIES_MAX = 100;
const INDEX_FILES = ["index.sqlite", "index.sqlite-wal"];

/** A data file. Sizes in bytes. */
export interface DataFileFacts {
  readonly path: string;
  /** Of its row. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly allocatedBytes: number;
}

/** Every data file in the cache at `path`, in an order that does not change. */
export async function dataFileFacts(path: string): Promise<DataFileFacts[]> {
  const facts: DataFileFacts[] = [];
  for (const file of (await dataFilesIn(path)).sort()) {
    const { size, blocks } = await Deno.stat(file).catch(goneSince);
    const id = file.slice(file.lastIndexOf("/") + 1);
    facts.push({ path: file, id, sizeBytes: size, allocatedBytes: (blocks ?? 0) * 512 });
  }
  return facts;
}

/** A file that was unlinked since its directory was read takes nothing. */
function goneSince(error: unknown): { readonly size: number; readonly blocks: number } {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  return { size: 0, blocks: 0 };
}

/** Rows of the index at `path`, which no process uses; read from a copy, as opening changes it. */
export async function rowsIn(path: string): Promise<CachedRow[]> {
  const copy = await Deno.makeTempDir({ prefix: "warpdrive-rows-" });
  try {
    for (const name of INDEX_FILES) await copyIfThere(`${path}/${name}`, `${copy}/${name}`);
    const index = openIndex(`${copy}/index.sqlite`);
    const rows = index.rows(null, ROWS_MAX);
    index.close();
    return rows;
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

/** Bytes in the data files below `path` that no row of the index there announces. */
export async function unannouncedBytes(path: string): Promise<number> {
  const announced = new Map(
    (await rowsIn(path)).map(({ id, cachedBytes }) => [id.toString(16), cachedBytes]),
  );
  let bytes = 0;
  for (const { id, allocatedBytes } of await dataFileFacts(path)) {
    // A file without a row is removed by the next process, whatever it holds.
    bytes += Math.max(0, allocatedBytes - (announced.get(id) ?? Infinity));
  }
  return bytes;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await Deno.copyFile(from, to).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/**
 * Copies the cache at `from`, which a process uses, as kill -9 would leave it now. Nothing else
 * runs in this process meanwhile, and the index does not change in the copy's time.
 *
 * @param quiet Resolves when the index has done what it was asked before.
 */
export async function copyAsKilled(
  from: string,
  to: string,
  quiet: () => Promise<unknown>,
): Promise<void> {
  for (let copies = 0; copies < COPIES_MAX; copies += 1) {
    await quiet();
    const before = stampOf(from);
    const { stderr } = new Deno.Command("cp", {
      args: ["--archive", "--sparse=always", "--no-target-directory", from, to],
      stdout: "null",
    }).outputSync();
    const text = new TextDecoder().decode(stderr).replaceAll(/^.*No such file.*\n/gm, "");
    if (text !== "") throw new Error(text);
    if (stampOf(from) === before) return;
    Deno.removeSync(to, { recursive: true });
  }
  throw new Error(`The index changed during each of ${COPIES_MAX} copies`);
}

function stampOf(path: string): string {
  return INDEX_FILES.map((name) => {
    try {
      const { size, mtime } = Deno.statSync(`${path}/${name}`);
      return `${size} ${mtime?.getTime()}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "none";
      throw error;
    }
  }).join();
}

/** Does `damage` to the cache at `path`, which no process uses; ids of the files it befell. */
export async function damageDisk(path: string, damage: DamageStep): Promise<readonly string[]> {
  if (damage.what === "flip index" || damage.what === "lose index") {
    const index = `${path}/index.sqlite`;
    if (damage.what === "flip index") flip(index, damage.at);
    else for (const suffix of ["", "-wal", "-shm"]) await removeIfThere(index + suffix);
    return (await dataFileFacts(path)).map(({ id }) => id);
  }
  const files = await dataFileFacts(path);
  const file = files[damage.file % files.length];
  if (file === undefined) return [];
  if (damage.what === "swap") {
    const other = files[damage.other % files.length] ?? file;
    await Deno.rename(file.path, `${path}/swap`);
    await Deno.rename(other.path, file.path).catch(() => undefined);
    await Deno.rename(`${path}/swap`, other.path);
    return [file.id, other.id];
  }
  await damageFile(file, damage.what, damage.at);
  return [file.id];
}

async function damageFile(
  { path, sizeBytes }: DataFileFacts,
  what: "flip" | "cut" | "grow" | "lose",
  at: number,
): Promise<void> {
  switch (what) {
    case "flip":
      return flip(path, at);
    case "cut":
      return await Deno.truncate(path, Math.floor(sizeBytes * at / POSITIONS));
    case "grow":
      return await Deno.truncate(path, sizeBytes + at);
    case "lose":
      return await Deno.remove(path);
  }
}

/** Changes one bit of the file at `path`, a part of the way given by `at` into it. */
function flip(path: string, at: number): void {
  // There may be no index any more.
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  const { size } = file.statSync();
  if (size === 0) return;
  const offset = Math.min(size - 1, Math.floor(size * at / POSITIONS));
  const byte = new Uint8Array(1);
  file.seekSync(offset, Deno.SeekMode.Start);
  file.readSync(byte);
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(byte.map((value) => value ^ (1 << (at % 8))));
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
