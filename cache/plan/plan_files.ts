/**
 * The distinct files of one plan: where they are, and what was found there. In columns, as a plan
 * may name a million.
 */
import { baseName, joinPath, type ObjectEntry } from "../backend/backend.ts";
import { residencyKey } from "../disk/cache_space.ts";
import { CompactTexts, grown } from "./compact_texts.ts";
import { ObjectRows } from "../index/object_rows.ts";
import { assert } from "../platform/assert.ts";
import { identityHash } from "../platform/identity_hash.ts";
import type { ObjectKey } from "../residency/residency.ts";
import { NO_ROW } from "../index/row_lists.ts";

/** Stands for a file that has no entry. */
const NONE = -1;

/** What is known of a file. */
export type PlanFileState =
  /** Nobody has looked. */
  | "unknown"
  | "found"
  /** It is not there, is no object, or could not be asked for. */
  | "missing"
  /** A local file, read where it is. */
  | "in place";

const STATES: readonly PlanFileState[] = ["unknown", "found", "missing", "in place"];

/** A file on a backend. */
export interface PlannedPath {
  readonly backend: string;
  readonly path: string;
}

/** Identifies a file in all plans. */
export function fileKeyOf({ backend, path }: PlannedPath): number {
  return identityHash(identityHash(0, backend), path);
}

/** Files by number, from 0. */
export class PlanFiles {
  readonly #rows = new ObjectRows();
  readonly #directoryRows = new ObjectRows();
  /** `BACKEND\0DIRECTORY`. */
  readonly #directories = new CompactTexts();
  readonly #names = new CompactTexts();
  readonly #entries = new CompactTexts();
  #directoryOf = new Int32Array(0);
  #entryOf = new Int32Array(0);
  #states = new Uint8Array(0);
  #sizes = new Float64Array(0);
  #objects = new Float64Array(0);
  #missing = 0;

  /** Files that are missing. */
  get missing(): number {
    return this.#missing;
  }

  get count(): number {
    return this.#names.count;
  }

  /** Memory all of it takes. */
  get sizeBytes(): number {
    const texts = [this.#directories, this.#names, this.#entries];
    const columns = 25 * this.#states.length + 16 * (this.#rows.capacity);
    return texts.reduce((sum, { sizeBytes }) => sum + sizeBytes, columns);
  }

  /** Directories that hold files, numbered from 0. */
  get directoryCount(): number {
    return this.#directories.count;
  }

  directory(number: number): PlannedPath {
    const [backend = "", path = ""] = this.#directories.get(number).split("\0");
    return { backend, path };
  }

  directoryOf(file: number): number {
    return this.#directoryOf[file] ?? NONE;
  }

  /** The number of the file with `key`, or null when no plan item names it. */
  find(key: number): number | null {
    const row = this.#rows.find(key);
    return row === NO_ROW ? null : row;
  }

  /** The number of the file at `at`, which is added unless it is there. */
  add(at: PlannedPath): number {
    const key = fileKeyOf(at);
    const known = this.#rows.find(key);
    if (known !== NO_ROW) return known;
    const file = this.#rows.add(key);
    const name = baseName(at.path);
    assert(this.#names.add(name) === file, "Files are numbered in the order in which they came");
    if (file >= this.#states.length) this.#reserve(this.#rows.capacity);
    this.#directoryOf[file] = this.#addDirectory(at, name);
    this.#entryOf[file] = NONE;
    return file;
  }

  at(file: number): PlannedPath {
    const { backend, path } = this.directory(this.directoryOf(file));
    return { backend, path: joinPath(path, this.#names.get(file)) };
  }

  key(file: number): number {
    return this.#rows.key(file);
  }

  state(file: number): PlanFileState {
    return STATES[this.#states[file] ?? 0] ?? "unknown";
  }

  /** Bytes of the object; 0 where none was found. */
  sizeOf(file: number): number {
    return this.#sizes[file] ?? 0;
  }

  /** The residency key of what was found, or null. */
  objectOf(file: number): ObjectKey | null {
    return this.state(file) === "found" ? this.#objects[file] ?? null : null;
  }

  /** What was found. */
  entryOf(file: number): ObjectEntry | null {
    const number = this.#entryOf[file] ?? NONE;
    if (number === NONE || this.state(file) !== "found") return null;
    const [version = "", etag = "", seconds = "", nanoseconds = ""] = this.#entries.get(number)
      .split("\0");
    return {
      kind: "object",
      name: this.#names.get(file),
      sizeBytes: this.sizeOf(file),
      version,
      etag: etag === "" ? null : etag,
      modified: { seconds: Number(seconds), nanoseconds: Number(nanoseconds) },
      posix: null,
    };
  }

  /** Notes what is there; returns the object that was thought to be there until now, if another. */
  found(file: number, { sizeBytes, version, etag, modified }: ObjectEntry): ObjectKey | null {
    const { backend, path } = this.at(file);
    const before = this.objectOf(file);
    const object = residencyKey(backend, path, version);
    if (before === object) return null;
    this.#entryOf[file] = this.#entries.add(
      [version, etag ?? "", modified.seconds, modified.nanoseconds].join("\0"),
    );
    this.#sizes[file] = sizeBytes;
    this.#objects[file] = object;
    this.#set(file, "found");
    return before;
  }

  /** Notes that there is nothing to fetch; returns the object that was thought to be there. */
  notFound(file: number, why: "missing" | "in place"): ObjectKey | null {
    const before = this.objectOf(file);
    this.#sizes[file] = 0;
    this.#set(file, why);
    return before;
  }

  #set(file: number, state: PlanFileState): void {
    if (this.state(file) === "missing") this.#missing -= 1;
    if (state === "missing") this.#missing += 1;
    this.#states[file] = STATES.indexOf(state);
  }

  #addDirectory({ backend, path }: PlannedPath, name: string): number {
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1));
    const key = fileKeyOf({ backend, path: directory });
    const known = this.#directoryRows.find(key);
    if (known !== NO_ROW) return known;
    this.#directories.add(`${backend}\0${directory}`);
    return this.#directoryRows.add(key);
  }

  #reserve(files: number): void {
    this.#directoryOf = grown(this.#directoryOf, Int32Array, files);
    this.#entryOf = grown(this.#entryOf, Int32Array, files);
    this.#states = grown(this.#states, Uint8Array, files);
    this.#sizes = grown(this.#sizes, Float64Array, files);
    this.#objects = grown(this.#objects, Float64Array, files);
  }
}
