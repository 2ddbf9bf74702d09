/**
 * The names of one directory as its store listed them, loaded page by page as they are needed.
 *
 * A name keeps its position for the life of the listing, so positions serve as readdir cookies. A
 * listing larger than `entriesMax` keeps only the page in use: an earlier page that is asked for
 * again (seekdir) is loaded again.
 */
import type { Entry } from "../../cache/backend/backend.ts";
import { present } from "../../cache/platform/assert.ts";
import { TaskGroup } from "../../cache/platform/limit.ts";

/** One name, with its status where the store's listing told it. */
export interface ListedName {
  readonly name: string;
  readonly kind: Entry["kind"];
  /** Null for local files, whose status is asked when needed. */
  readonly entry: Entry | null;
}

/**
 * Whose word a page is: the store's, or, while the store is silent, that of what is known of it.
 * `episode` counts the silences. A name that is not known is certainly `absent` where the directory
 * was once listed as a whole.
 */
export type PageOrigin =
  | { readonly kind: "store" }
  | {
    readonly kind: "known";
    readonly episode: number;
    /** When it was put together, on the monotonic clock. */
    readonly loadedMs: number;
    readonly unlisted: "absent" | "unknown";
  };

export const FROM_STORE: PageOrigin = { kind: "store" };

/** A page as it was loaded. */
export interface NamePage {
  readonly names: readonly ListedName[];
  readonly next: string | null;
  readonly origin: PageOrigin;
}

/**
 * Fetches the page that `token` names; null is the first. `whole` says that all names before it are
 * held: one that comes again is then noticed.
 */
export type PageLoader = (token: string | null, whole: boolean) => Promise<NamePage>;

interface LoadedPage {
  readonly token: string | null;
  readonly start: number;
  readonly count: number;
  /** Null after it was dropped. */
  names: readonly ListedName[] | null;
}

/** What a listing says about one name. */
export type Listed =
  | { readonly kind: "found"; readonly entry: Entry }
  | { readonly kind: "absent" }
  /** Not loaded that far, or listed without status. */
  | { readonly kind: "unknown" };

const ABSENT: Listed = { kind: "absent" };
const UNKNOWN: Listed = { kind: "unknown" };

/** A directory's names. */
export class Listing {
  /** When it was begun, on the monotonic clock. */
  readonly begunMs: number;
  /** Stands for this listing where keeping the listing itself would keep its names in memory. */
  readonly identity: object = {};
  /** The index of the cache holds the same names. */
  isKept = false;
  readonly #load: PageLoader;
  readonly #entriesMax: number;
  readonly #pages: LoadedPage[] = [];
  /** Every name so far; null once there are too many to keep. */
  #index: Map<string, ListedName> | null = new Map();
  #length = 0;
  #next: { readonly token: string | null } | "complete" = { token: null };
  #loading: Promise<void> | null = null;
  #origin: PageOrigin = FROM_STORE;
  readonly #ahead = new TaskGroup(() => undefined);
  readonly #completed: (listing: Listing) => void;

  /** `completed` is told when the last page is there. */
  constructor(
    begunMs: number,
    entriesMax: number,
    load: PageLoader,
    completed: (listing: Listing) => void = () => undefined,
  ) {
    this.begunMs = begunMs;
    this.#entriesMax = entriesMax;
    this.#load = load;
    this.#completed = completed;
  }

  /** Names loaded so far. */
  get length(): number {
    return this.#length;
  }

  /** Whose word it is; that of what is known, where only one page is. */
  get origin(): PageOrigin {
    return this.#origin;
  }

  /** Whether every name loaded so far is held: there are not too many. */
  get isWhole(): boolean {
    return this.#index !== null;
  }

  get isComplete(): boolean {
    return this.#next === "complete";
  }

  /** Whether `other`, a whole listing, has the same versions of the same names. */
  hasSameEntries(other: Listing): boolean {
    if (this.#index === null || this.#index.size !== other.length) return false;
    for (const { name, entry } of this.#index.values()) {
      const known = other.find(name);
      if (known.kind !== "found" || entry === null) return false;
      if (versionOf(known.entry) !== versionOf(entry)) return false;
    }
    return true;
  }

  /** All entries of the directory; null while some are missing, were dropped or have no status. */
  entries(): readonly Entry[] | null {
    if (this.#index === null || this.#next !== "complete") return null;
    const entries: Entry[] = [];
    for (const { entry } of this.#index.values()) {
      if (entry === null) return null;
      entries.push(entry);
    }
    return entries;
  }

  /**
   * The name at `position`; null past the end, undefined where it is not loaded, "gone" where a
   * page that was loaded again has become shorter.
   */
  at(position: number): ListedName | "gone" | null | undefined {
    if (position >= this.#length) return this.#next === "complete" ? null : undefined;
    const page = this.#pageOf(position);
    if (page.names === null) return undefined;
    const listed = page.names[position - page.start];
    // A directory found on a later page has taken the place of the object it hides.
    return listed === undefined ? "gone" : this.#index?.get(listed.name) ?? listed;
  }

  /** What this listing knows of `name`. */
  find(name: string): Listed {
    const listed = this.#index?.get(name);
    if (listed !== undefined) {
      return listed.entry === null ? UNKNOWN : { kind: "found", entry: listed.entry };
    }
    if (this.#index === null || this.#next !== "complete") return UNKNOWN;
    const { origin } = this;
    return origin.kind === "known" && origin.unlisted === "unknown" ? UNKNOWN : ABSENT;
  }

  /** Names of one kind in the listing's order; null while some are missing, or were dropped. */
  namesOf(kind: Entry["kind"]): readonly string[] | null {
    if (this.#index === null || this.#next !== "complete") return null;
    return [...this.#index.values()].flatMap((listed) => listed.kind === kind ? [listed.name] : []);
  }

  /** Begins to load the first page, and the one after it, of which a short listing has none. */
  loadAhead(): void {
    // Where it fails, the reader that gets there asks again and is told.
    this.#ahead.add(this.loadTo(0).then(() => this.loadTo(this.#length)));
  }

  /** Loads the page with `position`, or the next one. Callers at once share one request. */
  async loadTo(position: number): Promise<void> {
    if (position < this.#length) {
      const page = this.#pageOf(position);
      if (page.names === null) await this.#reload(page);
      return;
    }
    this.#loading ??= this.#loadNext().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  async #loadNext(): Promise<void> {
    if (this.#next === "complete") return;
    const { token } = this.#next;
    const page = await this.#load(token, this.isWhole);
    const names = page.names.filter((listed) => this.#isNew(listed));
    if (page.origin.kind === "known") this.#origin = page.origin;
    this.#pages.push({ token, start: this.#length, count: names.length, names });
    this.#length += names.length;
    this.#next = page.next === null ? "complete" : { token: page.next };
    if (this.#length > this.#entriesMax) this.#keepOnly(this.#pages.length - 1);
    if (this.#next === "complete") this.#completed(this);
  }

  async #reload(page: LoadedPage): Promise<void> {
    const { names } = await this.#load(page.token, false);
    // The directory may have changed: positions stay, what is beyond them is left out.
    page.names = names.slice(0, page.count);
    this.#keepOnly(this.#pages.indexOf(page));
  }

  /** Indexes `listed`; false for a name listed before, whose place it then takes. */
  #isNew(listed: ListedName): boolean {
    if (this.#index === null) return true;
    const known = this.#index.get(listed.name);
    // A store may list "a" and "a/" on pages far apart: the directory hides the object.
    if (known === undefined || listed.kind === "directory") this.#index.set(listed.name, listed);
    return known === undefined;
  }

  #keepOnly(kept: number): void {
    this.#index = null;
    this.#pages.forEach((page, index) => {
      if (index !== kept) page.names = null;
    });
  }

  #pageOf(position: number): LoadedPage {
    let low = 0;
    let high = this.#pages.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (present(this.#pages[middle], "page").start <= position) low = middle;
      else high = middle - 1;
    }
    return present(this.#pages[low], "page");
  }
}

function versionOf(entry: Entry): string {
  return entry.kind === "object" ? `object ${entry.version}` : entry.kind;
}
