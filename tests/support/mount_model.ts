/**
 * A real mount of a real store under random steps: reads, changes, outages, kill -9. Its metadata
 * are asked for at every open, and its cache has room for everything, so that each answer can be
 * judged: the current version or none, and in an outage what was read before.
 */
import { AssertionError, deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ContainerClient } from "@azure/storage-blob";
import fc, { type Arbitrary } from "fast-check";
import { errnoName } from "../../cache/platform/errno.ts";
import { eventually } from "./eventually.ts";
import { Mounted } from "./mounted.ts";
import type { Place } from "./place.ts";
import type { RemoteStore } from "./remote_store.ts";
import { sampleBytes } from "./sample_bytes.ts";

const MIB = 1 << 20;
const NAMES = ["a", "b", "directory/c", "directory/d"];
const POSITIONS = 1_000;
const HANDLES_MAX = 8;
/** Bytes of all versions: each is a stretch of these that begins elsewhere. */
const POOL = sampleBytes(12 * MIB, 31);
const STRETCH_BYTES = 1_009;

/** One step; a number that names a handle counts modulo how many are open. */
export type MountStep =
  | { readonly op: "open" | "scan" | "remove"; readonly name: string }
  | { readonly op: "close"; readonly handle: number }
  | {
    readonly op: "read";
    readonly handle: number;
    readonly at: number;
    readonly lengthBytes: number;
  }
  | { readonly op: "overwrite"; readonly name: string; readonly sizeBytes: number }
  | { readonly op: "list" | "down" | "up" | "kill" };

const name = fc.constantFrom(...NAMES);

function record<Op extends string>(op: Op) {
  return fc.record({ op: fc.constant(op), name });
}

const step: Arbitrary<MountStep> = fc.oneof(
  { weight: 12, arbitrary: record("open" as const) },
  { weight: 10, arbitrary: record("scan" as const) },
  { weight: 2, arbitrary: record("remove" as const) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant("close" as const), handle: fc.nat({ max: 99 }) }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      op: fc.constant("read" as const),
      handle: fc.nat({ max: 99 }),
      at: fc.nat({ max: POSITIONS }),
      lengthBytes: fc.integer({ min: 1, max: MIB }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("overwrite" as const),
      name,
      sizeBytes: fc.oneof(fc.nat({ max: 5_000 }), fc.integer({ min: 100_000, max: 6 * MIB })),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ op: "list" as const }) },
  { weight: 1, arbitrary: fc.constant({ op: "down" as const }) },
  { weight: 2, arbitrary: fc.constant({ op: "up" as const }) },
  { weight: 1, arbitrary: fc.constant({ op: "kill" as const }) },
);

/** Sequences of up to `stepsMax` steps. */
export function mountSteps(stepsMax: number): Arbitrary<MountStep[]> {
  return fc.array(step, { maxLength: stepsMax, size: "max" });
}

interface Handle {
  readonly file: Deno.FsFile;
  readonly name: string;
  readonly content: Uint8Array;
}

/** One run: the mount, its store, and what each file may be. */
export class MountModel implements AsyncDisposable {
  readonly #store: RemoteStore;
  readonly #container: ContainerClient;
  readonly #place: Place;
  readonly #seen: Map<string, number>;
  readonly #current = new Map<string, Uint8Array>();
  /** Everything a name ever was. */
  readonly #versions = new Map<string, Uint8Array[]>();
  /** Versions read as a whole by this process. */
  readonly #scanned = new Set<Uint8Array>();
  /** Names this process has shown, and which have been there since. */
  readonly #shown = new Set<string>();
  readonly #handles: Handle[] = [];
  #mounted: Mounted;
  #written = 0;
  #isDown = false;

  private constructor(
    store: RemoteStore,
    container: ContainerClient,
    place: Place,
    mounted: Mounted,
    seen: Map<string, number>,
  ) {
    this.#store = store;
    this.#container = container;
    this.#place = place;
    this.#mounted = mounted;
    this.#seen = seen;
  }

  /** Mounts the empty container `name` of `store` at `place`; `seen` is added to. */
  static async create(
    store: RemoteStore,
    name: string,
    place: Place,
    seen: Map<string, number>,
  ): Promise<MountModel> {
    const container = await store.container(name, {});
    const mounted = await mountOf(store, name, place);
    return new MountModel(store, container, place, mounted, seen);
  }

  /** Takes a step; rejects when its answer is wrong. */
  async step(step: MountStep): Promise<void> {
    switch (step.op) {
      case "open":
        await this.#open(step.name);
        return;
      case "close":
        return this.#handles.splice(step.handle % Math.max(1, this.#handles.length), 1)
          .forEach(({ file }) => file.close());
      case "read": {
        const handle = this.#handles[step.handle % Math.max(1, this.#handles.length)];
        if (handle === undefined) return;
        const offset = Math.floor(handle.content.length * step.at / POSITIONS);
        await this.#read(handle, offset, step.lengthBytes);
        return;
      }
      case "scan":
        return await this.#scan(step.name);
      case "overwrite":
        return await this.#overwrite(step.name, step.sizeBytes);
      case "remove":
        this.#current.delete(step.name);
        this.#shown.delete(step.name);
        await this.#container.getBlockBlobClient(step.name).deleteIfExists();
        return;
      case "list":
        return await this.#list();
      case "down":
        this.#isDown = true;
        return this.#store.proxy.refuse();
      case "up":
        return await this.#up();
      case "kill":
        return await this.#kill();
    }
  }

  /** Reads all that there is, with the store back. */
  async end(): Promise<void> {
    await this.#up();
    await this.#list();
    for (const name of NAMES) await this.#scan(name);
    const metrics = await this.#mounted.metrics();
    equal(metrics.get("warpdrive_cache_corruptions_total"), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closeAll();
    await this.#store.proxy.accept();
    this.#forgiveBypass();
    await this.#mounted[Symbol.asyncDispose]();
  }

  /** On a machine that is busy, a disk may take more than its second: that is not tested here. */
  #forgiveBypass(): void {
    const { log } = this.#mounted.program;
    const isBypass = (message: string) => message.startsWith("Read past the cache");
    for (let at = log.length - 1; at >= 0; at -= 1) {
      if (!isBypass(log[at]?.message ?? "")) continue;
      log.splice(at, 1);
      this.#scanned.clear();
      this.#count("bypass");
    }
  }

  async #open(name: string): Promise<Handle | null> {
    if (this.#handles.length >= HANDLES_MAX) this.#handles.shift()?.file.close();
    const current = this.#current.get(name);
    try {
      const file = await Deno.open(`${this.#mounted.path}/model/${name}`);
      const { size } = await file.stat();
      const known = this.#isDown ? this.#versions.get(name) ?? [] : current ? [current] : [];
      // Sizes tell versions apart.
      const content = known.findLast((version) => version.length === size);
      ok(content !== undefined, `"${name}" has ${size} bytes, wanted ${current?.length}`);
      const handle = { file, name, content };
      this.#handles.push(handle);
      if (!this.#isDown) this.#shown.add(name);
      return handle;
    } catch (error) {
      // In an outage, what was last known counts, and that may be that there is no such name.
      const isAbsent = current === undefined || this.#isDown && !this.#shown.has(name);
      this.#expect(error, isAbsent ? ["ENOENT"] : [], `open "${name}"`);
      return null;
    }
  }

  /** Whether the bytes came. */
  async #read({ file, name, content }: Handle, offset: number, length: number): Promise<boolean> {
    const wanted = content.subarray(offset, offset + length);
    const bytes = new Uint8Array(length);
    try {
      await file.seek(offset, Deno.SeekMode.Start);
      const read = await file.read(bytes) ?? 0;
      equal(read, wanted.length, `length of "${name}" at ${offset}`);
      ok(Buffer.compare(bytes.subarray(0, read), wanted) === 0, `Wrong bytes of "${name}"`);
      this.#count(this.#isDown ? "read in an outage" : "read");
      return true;
    } catch (error) {
      const isStale = this.#current.get(name) !== content;
      this.#expect(error, isStale ? ["ESTALE"] : [], `read "${name}" at ${offset}`);
      this.#forgiveBypass();
      ok(!this.#scanned.has(content), `"${name}" was cached and fails: ${error}`);
      return false;
    }
  }

  async #scan(name: string): Promise<void> {
    const handle = await this.#open(name);
    if (handle === null) return;
    for (let offset = 0; offset < handle.content.length; offset += MIB) {
      if (!await this.#read(handle, offset, MIB)) return;
    }
    this.#scanned.add(handle.content);
    this.#count("scan");
  }

  async #overwrite(name: string, sizeBytes: number): Promise<void> {
    this.#written += 1;
    // No two versions have one size: the size tells which one was opened.
    const length = sizeBytes + this.#written;
    const start = (this.#written * STRETCH_BYTES) % (POOL.length - length);
    const content = POOL.subarray(start, start + length);
    await this.#container.getBlockBlobClient(name).upload(content, content.length);
    this.#current.set(name, content);
    this.#versions.set(name, [...this.#versions.get(name) ?? [], content]);
  }

  async #list(): Promise<void> {
    try {
      const names = await this.#names();
      if (this.#isDown) return;
      deepEqual(names, [...this.#current.keys()].sort());
      this.#count("list");
    } catch (error) {
      this.#expect(error, [], "list");
    }
  }

  async #up(): Promise<void> {
    if (!this.#isDown) return;
    await this.#store.proxy.accept();
    await eventually(
      "the backend is well",
      async () => (await this.#mounted.health()).code === 200,
    );
    // For seconds, the mount goes on with what it knows of a store that was silent.
    await eventually("what changed in the outage shows", () => this.#isShown());
    this.#isDown = false;
  }

  /** Whether the names and sizes that can be seen are the current ones. */
  async #isShown(): Promise<boolean> {
    const names = await this.#names();
    if (names.join() !== [...this.#current.keys()].sort().join()) return false;
    for (const [name, { length }] of this.#current) {
      if ((await Deno.stat(`${this.#mounted.path}/model/${name}`)).size !== length) return false;
    }
    return true;
  }

  /** Every file that is listed. */
  async #names(): Promise<string[]> {
    const names: string[] = [];
    for (const directory of ["", "directory"]) {
      const path = `${this.#mounted.path}/model/${directory}`;
      if (directory !== "" && !names.includes(directory)) continue;
      for await (const entry of Deno.readDir(path)) {
        names.push(directory === "" ? entry.name : `${directory}/${entry.name}`);
      }
    }
    return names.filter((name) => name !== "directory").sort();
  }

  async #kill(): Promise<void> {
    this.#mounted.program.signal("SIGKILL");
    await this.#mounted.program.exit();
    this.#closeAll();
    this.#forgiveBypass();
    await this.#mounted[Symbol.asyncDispose]();
    this.#mounted = await mountOf(this.#store, this.#container.containerName, this.#place);
    // What was read in its last half second may not have been committed.
    this.#scanned.clear();
    this.#shown.clear();
    this.#count("kill");
  }

  #closeAll(): void {
    for (const { file } of this.#handles.splice(0)) file.close();
  }

  /** Rejects unless `error` has one of `codes`, or is what an outage makes. */
  #expect(error: unknown, codes: readonly string[], what: string): void {
    if (error instanceof AssertionError) throw error;
    const errno = /os error (\d+)/.exec(String(error))?.[1];
    const code = errno === undefined ? String(error) : errnoName(Number(errno));
    const outage = this.#isDown ? ["EIO", "ETIMEDOUT"] : [];
    ok([...codes, ...outage].includes(code), `${what}: ${code}, wanted success or ${codes}`);
    this.#count(code);
  }

  #count(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }
}

function mountOf(store: RemoteStore, container: string, place: Place): Promise<Mounted> {
  const backend = store.backend(container, "proxied", { timeout: "3s", mount_path: "model" });
  return Mounted.start(place, {
    config: {
      backends: [backend],
      cache: { path: `${place.root}/cache`, max_size: "1GiB", block_size: "1MiB", stale_ttl: "0" },
      fuse: { attr_timeout: "0", entry_timeout: "0", negative_timeout: "0" },
    },
    variables: store.variables,
  });
}
