/**
 * Opens object versions, each once however many readers it has, and verifies in the background
 * what an earlier process left.
 */
import type { CachedObject } from "./cached_object.ts";
import type { CacheResidents } from "../residency/cache_residents.ts";
import type { ObjectLoader, ObjectToOpen } from "./object_loader.ts";
import { openName, type OpenObjects } from "./open_objects.ts";
import type { TaskGroup } from "../platform/limit.ts";
import type { Residency } from "../residency/residency.ts";

const NEVER = new AbortController().signal;

/** What an object is opened for: to look at it, or to read it, which counts as a use of it. */
export type OpenPurpose = "look" | "read";

/** What opening works with. */
export interface ObjectOpenerDeps {
  readonly open: OpenObjects;
  readonly loader: ObjectLoader;
  readonly residency: Residency;
  readonly residents: CacheResidents;
  readonly tasks: TaskGroup;
  /** Takes an object back into use that was closed a moment ago; false when it was not. */
  readonly revive: (object: CachedObject) => boolean;
  /** Lets go of an object that nobody has open. */
  readonly close: (object: CachedObject) => void;
  /** Aborts when the cache is closed. */
  readonly signal: AbortSignal;
}

/** Opens objects. */
export class ObjectOpener {
  readonly #deps: ObjectOpenerDeps;

  constructor(deps: ObjectOpenerDeps) {
    this.#deps = deps;
  }

  /** Opens an object; whoever does closes it. */
  async open(wanted: ObjectToOpen, purpose: OpenPurpose): Promise<CachedObject> {
    const { open, loader, residency, revive, close, tasks } = this.#deps;
    const { backend, path, entry } = wanted;
    const name = openName(backend, path, entry.version);
    let object: CachedObject | null = null;
    while (object === null) {
      let opening = open.get(name);
      if (opening === undefined) {
        opening = loader.load(wanted);
        open.set(name, opening);
      }
      const loaded = await opening;
      // It may have been closed by its last user before this one got it.
      if (open.get(name) !== opening) continue;
      if (!revive(loaded)) object = loaded;
      // Nothing that left the cache with it enters again; what is asked for now does.
      else if (loaded.admission.kind === "evicted") close(loaded);
      else open.set(name, loader.lookedAt(loaded));
    }
    object.opens += 1;
    if (purpose === "look") return object;
    // One use each time it is taken up, however many read it then, in however many pieces.
    if (object.opens === 1) residency.access(object.key, object.entry.sizeBytes);
    if (object.admission.kind === "refused") object.admission = { kind: "undecided" };
    if (object.stored.map.complete && !object.stored.map.trusted) {
      // This open is served by the daemon; a later one may pass through.
      tasks.add(this.#verify(object));
    }
    return object;
  }

  /** Remembers that all of the object was verified, and what its file looks like. */
  noteTrust(object: CachedObject): void {
    const { stored: { map, file }, row } = object;
    const { tasks, residents } = this.#deps;
    if (!map.trusted || row === null || file === null) return;
    tasks.add(file.fingerprint(NEVER).then((fingerprint) => residents.trust(row, fingerprint)));
  }

  async #verify(object: CachedObject): Promise<void> {
    const { signal } = this.#deps;
    try {
      await object.stored.verify(signal);
      this.noteTrust(object);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
