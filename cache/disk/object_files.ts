/** Data files of object versions, found or made by their rows; no disk is waited for for ever. */
import type { ObjectEntry } from "../backend/backend.ts";
import { CacheDiskError, notAnswering } from "./cache_disk_error.ts";
import type { CacheDirectory } from "./cache_directory.ts";
import type { CacheIndex } from "../index/cache_index.ts";
import { DataFile, type DataFileDeps } from "./data_file.ts";
import type { CachedRow, NewObject } from "../index/rows.ts";
import type { Clock } from "../platform/clock.ts";
import type { TaskGroup } from "../platform/limit.ts";
import { within } from "../platform/within.ts";

/** Longest wait for the cache's disk when an object is opened or first written. */
const DISK_TIMEOUT_MS = 1_000;
const NEVER = new AbortController().signal;

/** What files are opened with. */
export interface ObjectFilesDeps {
  readonly directory: CacheDirectory;
  readonly index: CacheIndex;
  readonly files: DataFileDeps;
  readonly clock: Clock;
  /** Owns what becomes of calls that came too late. */
  readonly tasks: TaskGroup;
}

/** The data files of a cache. */
export class ObjectFiles {
  readonly #deps: ObjectFilesDeps;

  constructor(deps: ObjectFilesDeps) {
    this.#deps = deps;
  }

  /**
   * The file of `row`, which is to hold `entry`.
   *
   * @throws {CacheDiskError} `gone` when it is not what the row says.
   */
  async open(
    { id, sizeBytes }: CachedRow,
    entry: ObjectEntry,
  ): Promise<{ readonly file: DataFile; readonly fingerprint: string }> {
    const { directory, files } = this.#deps;
    if (sizeBytes !== entry.sizeBytes) {
      const reason = `its row says ${sizeBytes} bytes, which is not the size of the object`;
      throw new CacheDiskError("gone", "use", `object ${id}`, reason);
    }
    const path = directory.dataPath(id);
    const file = await this.#inTime("open", path, DataFile.open(path, sizeBytes, files, NEVER));
    return { file, fingerprint: await this.fingerprint(file) };
  }

  /** What `file` looks like now. Rejects with `CacheDiskError`. */
  async fingerprint(file: DataFile): Promise<string> {
    const late = () => notAnswering("stat", file.path);
    return await within(file.fingerprint(NEVER), DISK_TIMEOUT_MS, this.#deps.clock, late);
  }

  /** A new row for `object` and its empty file. Rejects with `CacheDiskError`. */
  async create(object: NewObject): Promise<{ readonly row: number; readonly file: DataFile }> {
    const { index, directory, files } = this.#deps;
    const row = await index.insert(object);
    const path = directory.dataPath(row);
    const creating = DataFile.create(path, object.sizeBytes, files, NEVER);
    return { row, file: await this.#inTime("create", path, creating) };
  }

  async #inTime(operation: string, path: string, opening: Promise<DataFile>): Promise<DataFile> {
    const { clock, tasks } = this.#deps;
    try {
      return await within(opening, DISK_TIMEOUT_MS, clock, () => notAnswering(operation, path));
    } catch (error) {
      // Nobody will use what a late call opens.
      tasks.add(opening.then((file) => file.close(), () => undefined));
      throw error;
    }
  }
}
