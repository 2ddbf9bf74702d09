/**
 * A cache under random steps, judged against everything its store ever held: no wrong byte, no
 * error without its reason, no read counted twice, and no more on disk than may be there.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { BackendError } from "../../cache/backend/backend.ts";
import { CachedObject } from "../../cache/object/cached_object.ts";
import { CHUNK_BYTES } from "../../cache/object/chunk_map.ts";
import type { OpenObject } from "../../cache/object/open_object.ts";
import { chunksOf } from "../../cache/object/stored_chunks.ts";
import {
  copyAsKilled,
  damageDisk,
  dataFileFacts,
  ROUNDING_BYTES,
  rowsIn,
  unannouncedBytes,
} from "./cache_model_disk.ts";
import {
  type CacheRun,
  type CacheStep,
  type DamageStep,
  FILES,
  POSITIONS,
  type RangeStep,
} from "./cache_model_steps.ts";
import { ModelStore, type StoredVersion } from "./cache_model_store.ts";
import { CacheProcess, readAt, REQUEST_BYTES } from "./cache_process.ts";
import { hastyClock } from "./hasty_clock.ts";

const KIB = 1 << 10;
/** Room for about half of the store; an object above a sixteenth of it enters block by block. */
const SIZE_BYTES_MAX = 2_560 * KIB;
const BLOCK_BYTES = 256 * KIB;
const MEMORY_BYTES = 2_048 * KIB;
const HANDLES_MAX = 12;
const SCAN_BYTES = 200_000;
const NEVER = new AbortController().signal;

interface Handle {
  readonly object: OpenObject;
  readonly version: StoredVersion;
}

/** A read under way, with all that decides how it may end. */
interface Reading {
  readonly version: StoredVersion;
  readonly offset: number;
  readonly length: number;
  readonly signal: AbortSignal;
  /** All of it was on disk when it began, as far as the cache knew. */
  readonly wasStored: boolean;
  readonly outcome: Promise<Uint8Array | Error>;
}

/** One run. */
export class CacheModel implements AsyncDisposable {
  readonly #store: ModelStore;
  readonly #policy: CacheRun["policy"];
  readonly #root: string;
  /** How often each thing happened, so that runs that prove nothing fail. */
  readonly #seen: Map<string, number>;
  #handles: Handle[] = [];
  /** Versions whose bytes on disk were damaged: they may have to be fetched again. */
  readonly #damaged = new Set<string>();
  #process: CacheProcess;
  #lives = 1;
  #blocksAsked = 0;
  /** Bytes on disk that were written and not announced when a process was killed. */
  #unannouncedBytes = 0;

  private constructor(
    policy: CacheRun["policy"],
    root: string,
    store: ModelStore,
    process: CacheProcess,
    seen: Map<string, number>,
  ) {
    this.#policy = policy;
    this.#root = root;
    this.#store = store;
    this.#process = process;
    this.#seen = seen;
  }

  /** A cache with nothing in it, in a place of its own; `seen` is added to. */
  static async create(
    policy: CacheRun["policy"],
    seen: Map<string, number>,
  ): Promise<CacheModel> {
    const root = await Deno.makeTempDir({ prefix: "warpdrive-model-" });
    const store = new ModelStore();
    const process = await live(`${root}/1`, store, policy);
    return new CacheModel(policy, root, store, process, seen);
  }

  /** Takes a step; rejects when something is wrong afterwards. */
  async step(step: CacheStep): Promise<void> {
    switch (step.op) {
      case "open":
        await this.#open(step.file, step.version);
        break;
      case "close":
        this.#close(step.handle);
        break;
      case "read":
        await this.#readAll(step);
        break;
      case "scan":
        await this.#scan(step.handle);
        break;
      case "overwrite":
      case "remove":
        await this.#store.change(step);
        break;
      case "warm": {
        const { path, entry } = this.#store.version(step.file);
        this.#process.source.prefetch(path, entry, 0, entry.sizeBytes);
        break;
      }
      case "store":
        this.#store.state = step.state;
        // What began before may fail as the store did then.
        await this.#store.idle();
        break;
      case "rest":
        await this.#rest();
        break;
      case "restart":
        await this.#restart(step.damages);
        break;
      case "kill":
        await this.#kill(step.ranges, step.turns, step.damages);
    }
    this.#check();
  }

  /** Reads all that there is, twice, over a restart; nothing is left open or in memory. */
  async end(): Promise<void> {
    await this.step({ op: "store", state: "up" });
    for (let pass = 0; pass < 2; pass += 1) {
      await this.#restart([]);
      for (let file = 0; file < FILES; file += 1) {
        await this.#open(file, "current");
        if (this.#handles.length > 0) await this.#scan(0);
        this.#closeAll();
      }
    }
    await this.#rest();
    this.#check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closeAll();
    await this.#process[Symbol.asyncDispose]();
    await Deno.remove(this.#root, { recursive: true });
    deepEqual(await this.#openBelow(this.#root), []);
  }

  async #open(file: number, wanted: "current" | "last known"): Promise<void> {
    const version = this.#store.version(file);
    if (wanted === "current" && !this.#store.isCurrent(version)) return;
    if (this.#handles.length >= HANDLES_MAX) this.#close(0);
    const object = await this.#process.open(version.path, version.entry);
    equal(object.entry.version, version.entry.version);
    this.#handles.push({ object, version });
  }

  #close(number: number): void {
    const [handle] = this.#handles.splice(number % Math.max(1, this.#handles.length), 1);
    handle?.object.close();
  }

  #closeAll(): void {
    while (this.#handles.length > 0) this.#close(0);
  }

  async #readAll(
    { ranges, meanwhile, interrupt }: Extract<CacheStep, { op: "read" }>,
  ): Promise<void> {
    const reader = new AbortController();
    const readings = ranges.flatMap((range, index) =>
      this.#begin(range, index === 0 ? reader.signal : NEVER)
    );
    if (meanwhile !== null) await this.#store.change(meanwhile);
    if (interrupt) reader.abort(new DOMException("The reader left", "AbortError"));
    for (const reading of readings) await this.#judge(reading);
  }

  async #scan(number: number): Promise<void> {
    const handle = this.#handles[number % Math.max(1, this.#handles.length)];
    if (handle === undefined) return;
    const { sizeBytes } = handle.version.entry;
    for (let offset = 0; offset < sizeBytes; offset += SCAN_BYTES) {
      const length = Math.min(SCAN_BYTES, sizeBytes - offset);
      if (!await this.#judge(this.#reading(handle, offset, length, NEVER))) return;
    }
    this.#count("scan");
  }

  /** Begins to read `range`; nothing where there is nothing to read. */
  #begin({ handle: number, at, lengthBytes }: RangeStep, signal: AbortSignal): Reading[] {
    const handle = this.#handles[number % Math.max(1, this.#handles.length)];
    if (handle === undefined || handle.version.entry.sizeBytes === 0) return [];
    const { sizeBytes } = handle.version.entry;
    const offset = Math.min(sizeBytes - 1, Math.floor(sizeBytes * at / POSITIONS));
    const length = Math.min(lengthBytes, sizeBytes - offset, REQUEST_BYTES);
    return [this.#reading(handle, offset, length, signal)];
  }

  #reading(
    { object, version }: Handle,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Reading {
    const block = (at: number) => Math.floor(at / BLOCK_BYTES);
    this.#blocksAsked += block(offset + length - 1) - block(offset) + 1;
    const wasStored = isStored(object, offset, length);
    const outcome = readAt(object, offset, length, signal).catch((error: unknown) => {
      if (error instanceof Error) return error;
      throw error;
    });
    return { version, offset, length, signal, wasStored, outcome };
  }

  /** Whether `reading` gave its bytes; rejects when it gave others, or failed for no reason. */
  async #judge({ version, offset, length, signal, wasStored, outcome }: Reading): Promise<boolean> {
    const { path, entry, content } = version;
    const given = await outcome;
    const what = `"${path}" ${entry.version}, ${length} bytes at ${offset}`;
    if (!(given instanceof Error)) {
      const wanted = content.subarray(offset, offset + length);
      ok(Buffer.compare(given, wanted) === 0, `Wrong bytes of ${what}`);
      this.#count(wasStored ? "read from disk" : "read from the store");
      if (wasStored && !this.#store.isCurrent(version)) this.#count("read of an old version");
      if (wasStored && this.#store.state === "down") this.#count("read in an outage");
      return true;
    }
    if (signal.aborted && given.name === "AbortError") {
      this.#count("interrupted");
      return false;
    }
    const code = given instanceof BackendError ? given.code : given.message;
    const isDamaged = this.#damaged.has(entry.version);
    ok(!wasStored || isDamaged, `${code} for ${what}, which was stored`);
    if (code === "changed") {
      ok(!this.#store.isCurrent(version), `${code} for ${what}, which is current`);
    } else {
      equal(code, "unavailable", `for ${what}`);
      ok(this.#store.failing, `${code} for ${what}, though the store is up`);
    }
    this.#count(code);
    return false;
  }

  async #rest(): Promise<void> {
    this.#closeAll();
    await this.#process.settled();
    await this.#process.allClosed();
    equal(this.#process.buffers.takenBytes, 0, "Memory is still taken");
    await this.#checkDisk();
    this.#count("rest");
  }

  async #restart(damages: readonly DamageStep[]): Promise<void> {
    this.#closeAll();
    this.#noteSeen();
    await this.#process[Symbol.asyncDispose]();
    await this.#damage(this.#process.directory.path, damages);
    await this.#live(this.#process.directory.path);
    this.#count("restart");
  }

  async #kill(
    ranges: readonly RangeStep[],
    turns: number,
    damages: readonly DamageStep[],
  ): Promise<void> {
    const readings = ranges.flatMap((range) => this.#begin(range, NEVER));
    for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setTimeout(next, 0));
    this.#lives += 1;
    const old = this.#process;
    const path = `${this.#root}/${this.#lives}`;
    await copyAsKilled(old.directory.path, path, () => old.index.totals());
    for (const reading of readings) await this.#judge(reading);
    this.#closeAll();
    this.#noteSeen();
    await old[Symbol.asyncDispose]();
    await Deno.remove(old.directory.path, { recursive: true });
    await this.#damage(path, damages);
    await this.#live(path);
    this.#count("kill");
  }

  /** Does `damages` to the cache in `path`, and notes what they befell. */
  async #damage(path: string, damages: readonly DamageStep[]): Promise<void> {
    for (const damage of damages) {
      const rows = await rowsIn(path);
      const ids = await damageDisk(path, damage);
      for (const row of rows) {
        if (ids.includes(row.id.toString(16))) this.#damaged.add(row.version);
      }
      // A changed index may announce anything, and none of it is served.
      this.#count(`damage: ${damage.what}`);
    }
  }

  /** Starts a process on what another one left in `path`. */
  async #live(path: string): Promise<void> {
    this.#unannouncedBytes = await unannouncedBytes(path);
    this.#blocksAsked = 0;
    this.#process = await live(path, this.#store, this.#policy);
    await this.#process.settled();
    await this.#checkDisk();
  }

  /** What holds at all times. */
  #check(): void {
    const { metrics, health, buffers } = this.#process;
    deepEqual(health.state, { kind: "working" });
    equal(metrics.hits + metrics.misses, this.#blocksAsked, "Blocks are counted once");
    ok(buffers.takenBytes <= MEMORY_BYTES, `${buffers.takenBytes} bytes of memory are taken`);
    const most = SIZE_BYTES_MAX + this.#unannouncedBytes;
    ok(metrics.bytes <= most, `${metrics.bytes} bytes are charged`);
    if (this.#damaged.size > 0) return;
    equal(metrics.corruptions, 0, "Nothing was damaged");
    deepEqual(this.#process.log.filter(({ level }) => level !== "info"), []);
  }

  /** What holds on disk while nothing is under way. */
  async #checkDisk(): Promise<void> {
    const rows = await Array.fromAsync(this.#process.index.rows(NEVER));
    const files = await dataFileFacts(this.#process.directory.path);
    const ids = rows.map(({ id }) => id.toString(16)).sort();
    deepEqual(
      files.map(({ id }) => id).sort(),
      ids,
      "Each row has its file, and no other is there",
    );
    const announced = rows.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0);
    ok(announced <= SIZE_BYTES_MAX, `${announced} bytes are announced`);
    const allocated = files.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
    const dropped = this.#process.metrics.corruptions * CHUNK_BYTES;
    const most = announced + this.#unannouncedBytes + dropped + files.length * ROUNDING_BYTES;
    ok(allocated <= most, `${allocated} bytes are on disk, ${announced} announced`);
  }

  /** Descriptors of this process below `path`. */
  async #openBelow(path: string): Promise<string[]> {
    const open: string[] = [];
    for await (const { name } of Deno.readDir("/proc/self/fd")) {
      const target = await Deno.readLink(`/proc/self/fd/${name}`).catch(() => "");
      if (target.startsWith(`${path}/`)) open.push(target);
    }
    return open;
  }

  #noteSeen(): void {
    const { evictions, corruptions, readaheadHits, readaheadWaste } = this.#process.metrics;
    const counts = { evictions, corruptions, readaheadHits, readaheadWaste };
    for (const [what, times] of Object.entries(counts)) if (times > 0) this.#count(what);
  }

  #count(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }
}

function live(path: string, store: ModelStore, policy: CacheRun["policy"]): Promise<CacheProcess> {
  return CacheProcess.start(path, store.backend, {
    sizeBytesMax: SIZE_BYTES_MAX,
    blockBytes: BLOCK_BYTES,
    memoryBytes: MEMORY_BYTES,
    clock: hastyClock,
    policy,
  });
}

/** Whether the cache has all of the range on disk. */
function isStored(object: OpenObject, offset: number, length: number): boolean {
  ok(object instanceof CachedObject);
  const [first, last] = chunksOf(offset, length);
  for (let chunk = first; chunk <= last; chunk += 1) if (!object.stored.has(chunk)) return false;
  return true;
}
