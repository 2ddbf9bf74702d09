/** One backend as the file system sees it. */
import type { Backend, Entry } from "../../cache/backend/backend.ts";
import type { LocalFiles } from "../../cache/backend/local/backend.ts";
import type { ObjectSource } from "../../cache/object/open_object.ts";
import type { SharedWork } from "../../cache/fetch/shared_work.ts";
import type { Offline } from "./offline.ts";

/** A mounted backend with what reads and lookups in it need. */
export interface Volume {
  readonly name: string;
  readonly mountPath: string;
  readonly backend: Backend;
  readonly objects: ObjectSource;
  /** Direct access where the objects are local files; names and status are then asked afresh. */
  readonly files: LocalFiles | null;
  /** Status requests under way, by path. */
  readonly statuses: SharedWork<Entry | null>;
  /** Answers while the store is silent; null without a cache, and for local files. */
  readonly offline: Offline | null;
}
