/** What the credential of a backend allows, by doing it: one listing, and one small read. */
import { type Backend, BackendError, joinPath, type ObjectEntry } from "../backend.ts";
import { PROBE_NAME } from "../open.ts";
import type { BackendSettings } from "../settings.ts";
import type { Clock } from "../../platform/clock.ts";
import { bad, doubtful, type Finding, good } from "../../platform/finding.ts";
import { formatBytes, formatDuration } from "../../platform/units.ts";
import { type AccessFacts, judgeAccess } from "./access_problem.ts";
import { credentialTerms } from "./credential_terms.ts";

/** Directories looked into for an object to read. */
const LISTINGS_MAX = 16;
const READ_BYTES_MAX = 4_096;

/** What a trial works with. */
export interface AccessTrialDeps {
  readonly clock: Clock;
  /** How far the clock of this machine is ahead of the store's; null: not known. */
  readonly skewMs: (signal: AbortSignal) => Promise<number | null>;
}

/** An object, and where it is. */
interface Found {
  readonly path: string;
  readonly entry: ObjectEntry;
}

/** Tries `backend`, opened by `settings`; the finding is about `subject`. */
export async function tryAccess(
  subject: string,
  settings: BackendSettings,
  backend: Backend,
  deps: AccessTrialDeps,
  signal: AbortSignal,
): Promise<Finding> {
  return await new AccessTrial(subject, settings, backend, deps).run(signal);
}

/** One trial of one backend. */
class AccessTrial {
  readonly #subject: string;
  readonly #settings: BackendSettings;
  readonly #backend: Backend;
  readonly #deps: AccessTrialDeps;

  constructor(
    subject: string,
    settings: BackendSettings,
    backend: Backend,
    deps: AccessTrialDeps,
  ) {
    this.#subject = subject;
    this.#settings = settings;
    this.#backend = backend;
    this.#deps = deps;
  }

  async run(signal: AbortSignal): Promise<Finding> {
    const { clock } = this.#deps;
    const begunMs = clock.monotonicMs();
    let listedMs = begunMs;
    let found: Found | "empty" | "none near";
    try {
      found = await this.#findObject(signal, () => {
        if (listedMs === begunMs) listedMs = clock.monotonicMs();
      });
    } catch (error) {
      return await this.#failure(error, "list", signal);
    }
    const lists = `lists its root in ${formatDuration(listedMs - begunMs)}`;
    if (found === "empty") {
      return doubtful(this.#subject, `${lists}, and holds nothing`, emptyRemedy(this.#settings));
    }
    if (found === "none near") {
      return good(this.#subject, `${lists}; no object near the root to try a read with`);
    }
    try {
      return good(this.#subject, `${lists}, ${await this.#read(found, signal)}`);
    } catch (error) {
      return await this.#failure(error, "read", signal);
    }
  }

  /** The first object with bytes in the directories next to the root. */
  async #findObject(
    signal: AbortSignal,
    onPage: () => void,
  ): Promise<Found | "empty" | "none near"> {
    const directories = [""];
    let anything = false;
    for (let index = 0; index < Math.min(directories.length, LISTINGS_MAX); index += 1) {
      const directory = directories[index] ?? "";
      const { entries, next } = await this.#backend.list(directory, null, signal);
      onPage();
      anything ||= entries.length > 0 || next !== null;
      for (const entry of entries) {
        const path = joinPath(directory, entry.name);
        if (entry.kind === "object" && entry.sizeBytes > 0) return { path, entry };
        if (entry.kind === "directory" && directories.length < LISTINGS_MAX) directories.push(path);
      }
    }
    return anything ? "none near" : "empty";
  }

  /** Reads a little of an object; what it did, in words. */
  async #read({ path, entry }: Found, signal: AbortSignal): Promise<string> {
    const { clock } = this.#deps;
    const target = new Uint8Array(Math.min(entry.sizeBytes, READ_BYTES_MAX));
    const begunMs = clock.monotonicMs();
    const range = { path, version: entry.version, offset: 0, target, onFilled: () => {} };
    await this.#backend.read(range, signal);
    const took = formatDuration(clock.monotonicMs() - begunMs);
    return `reads ${formatBytes(target.length)} of ${JSON.stringify(path)} in ${took}`;
  }

  async #failure(
    error: unknown,
    operation: AccessFacts["operation"],
    signal: AbortSignal,
  ): Promise<Finding> {
    signal.throwIfAborted();
    if (!(error instanceof BackendError)) throw error;
    const denied = operation === "list" && error.code === "denied";
    const facts: AccessFacts = {
      operation,
      mayAskForObjects: denied && await this.#mayAskForObjects(signal),
      skewMs: await this.#deps.skewMs(signal),
      terms: credentialTerms(this.#settings.source),
      nowMs: this.#deps.clock.wallMs(),
    };
    const { detail, remedy } = judgeAccess(error, facts);
    return bad(this.#subject, detail, remedy);
  }

  /**
   * Whether the store lets the credential ask for an object it does not have. A store that also
   * denies that may mean either; then the credential is taken to be refused.
   */
  async #mayAskForObjects(signal: AbortSignal): Promise<boolean> {
    const target = new Uint8Array(1);
    const range = { path: PROBE_NAME, version: "1", offset: 0, target, onFilled: () => {} };
    try {
      await this.#backend.read(range, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof BackendError &&
        (error.code === "changed" || error.code === "not_found");
    }
  }
}

function emptyRemedy({ source }: BackendSettings): string {
  switch (source.type) {
    case "local":
      return `Nothing to do, if ${JSON.stringify(source.root)} is the right directory`;
    case "azureblob":
      // A prefix that nobody has is an empty listing, not an error.
      return source.prefix === ""
        ? `Nothing to do, if ${JSON.stringify(source.container)} is the right container`
        : `Nothing to do, if ${JSON.stringify(source.prefix)} is the right prefix`;
    case "s3":
    case "gcs":
      return source.prefix === ""
        ? `Nothing to do, if ${JSON.stringify(source.bucket)} is the right bucket`
        : `Nothing to do, if ${JSON.stringify(source.prefix)} is the right prefix`;
  }
}
