/** Google Cloud Storage: one bucket, or one prefix of it. */
import { z } from "zod";
import type { Checksum } from "../checksum.ts";
import {
  type Backend,
  BackendError,
  type BackendOperation,
  baseName,
  type Content,
  type Entry,
  type ListPage,
  type ObjectEntry,
  type RangeRead,
} from "../backend.ts";
import type { JudgedCredential } from "../identity/judged_credential.ts";
import type { RenewalDeps } from "../identity/renewed_credential.ts";
import { isReachable, keyBelow, requireReachable } from "../object_names.ts";
import { oneOperation } from "../one_operation.ts";
import { RefusedError } from "../refusal.ts";
import { StoreFault } from "../store_fault.ts";
import { tokenFor } from "./credentials.ts";
import {
  CHECKSUM_FIELDS,
  checksumOf,
  directoryEntry,
  LISTING_FIELDS,
  listPage,
  OBJECT_FIELDS,
  OBJECT_LISTING,
  objectEntry,
  STORED_CHECKSUM,
  STORED_OBJECT,
  type StoredObject,
} from "./entry.ts";
import { isBucketMissing, refusedOperation } from "./errors.ts";
import { readRange } from "./read.ts";
import type { GcsSource } from "./source.ts";
import { GcsTransport, plainRequest } from "./transport.ts";
import { upload } from "./upload.ts";
import type { Clock } from "../../platform/clock.ts";

/** A copy takes several calls where it goes from one kind of storage to another. */
const REWRITE = z.discriminatedUnion("done", [
  z.object({ done: z.literal(true), resource: STORED_OBJECT }),
  z.object({ done: z.literal(false), rewriteToken: z.string().min(1) }),
]);

/** The backend contract over the JSON API of Cloud Storage. */
export class GcsBackend implements Backend {
  readonly provider = "gcs";
  readonly #source: GcsSource;
  readonly #transport: GcsTransport;
  readonly #clock: Clock;

  private constructor(
    readonly name: string,
    source: GcsSource,
    token: JudgedCredential<string> | null,
    clock: Clock,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#transport = new GcsTransport(source, token);
  }

  /** Prepares access to `source` as backend `name`; nobody is asked for anything yet. */
  static open(name: string, source: GcsSource, deps: RenewalDeps): GcsBackend {
    return new GcsBackend(name, source, tokenFor(source.auth, deps), deps.clock);
  }

  /** When the token in use ends, in milliseconds since the epoch; null: never, or there is none. */
  get credentialExpiresMs(): number | null {
    return this.#transport.credentialExpiresMs;
  }

  async list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    if (!isReachable(directory)) return { entries: [], next: null, unlistable: 0 };
    const key = this.#key(directory);
    const prefix = key === "" ? "" : `${key}/`;
    return await this.#run("list", directory, signal, async (own) => {
      const query = new URLSearchParams({
        prefix,
        delimiter: "/",
        maxResults: String(this.#source.listPageSize),
        fields: LISTING_FIELDS,
        ...(token === null ? {} : { pageToken: token }),
      });
      const request = plainRequest("GET", `${this.#bucketPath}/o?${query}`);
      return listPage(prefix, await this.#transport.ask(request, OBJECT_LISTING, own));
    });
  }

  async stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    if (path === "") return directoryEntry("");
    if (!isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (own) => {
      const [itself, below] = await Promise.all([
        this.#object(path, own),
        this.#hasBelow(path, own),
      ]);
      if (below) return directoryEntry(baseName(path));
      return itself === null ? null : objectEntry(baseName(path), itself);
    });
  }

  async checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null> {
    if (path === "" || !isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (own) => {
      const query = new URLSearchParams({ fields: CHECKSUM_FIELDS });
      const request = plainRequest("GET", `${this.#objectPath(path)}?${query}`);
      const stored = await unlessAbsent(this.#transport.ask(request, STORED_CHECKSUM, own));
      return stored?.generation === version ? checksumOf(stored) : null;
    });
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    if (range.target.length === 0) return;
    await this.#run(
      "read",
      range.path,
      signal,
      (own) => readRange(this.#transport, this.#objectPath(range.path), range, own),
    );
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "put", path);
    return await this.#run("put", path, signal, async (own) => {
      const query = new URLSearchParams({ name: this.#key(path), fields: OBJECT_FIELDS });
      const at = `/upload${this.#bucketPath}/o?${query}`;
      return objectEntry(baseName(path), await upload(this.#transport, at, content, own));
    });
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    if (!isReachable(path)) return;
    await this.#run("remove", path, signal, async (own) => {
      const request = plainRequest("DELETE", this.#objectPath(path));
      const answer = await unlessAbsent(this.#transport.send(request, own));
      await answer?.body?.cancel();
    });
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "copy", to);
    return await this.#run("copy", to, signal, async (own) => {
      const path = `${this.#objectPath(from)}/rewriteTo${this.#objectPath(to).slice(API.length)}`;
      const fields = `done,rewriteToken,resource(${OBJECT_FIELDS})`;
      let query = new URLSearchParams({ fields });
      for (;;) {
        const request = plainRequest("POST", `${path}?${query}`);
        const answer = await this.#transport.ask(request, REWRITE, own);
        if (answer.done) return objectEntry(baseName(to), answer.resource);
        query = new URLSearchParams({ fields, rewriteToken: answer.rewriteToken });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  /** The object at exactly `path`; null when there is none. */
  async #object(path: string, signal: AbortSignal): Promise<StoredObject | null> {
    const query = new URLSearchParams({ fields: OBJECT_FIELDS });
    const request = plainRequest("GET", `${this.#objectPath(path)}?${query}`);
    return await unlessAbsent(this.#transport.ask(request, STORED_OBJECT, signal));
  }

  async #hasBelow(path: string, signal: AbortSignal): Promise<boolean> {
    const prefix = `${this.#key(path)}/`;
    const query = new URLSearchParams({ prefix, maxResults: "1", fields: LISTING_FIELDS });
    const request = plainRequest("GET", `${this.#bucketPath}/o?${query}`);
    const { items } = await this.#transport.ask(request, OBJECT_LISTING, signal);
    return items.length > 0;
  }

  get #bucketPath(): string {
    return `${API}/b/${encodeURIComponent(this.#source.bucket)}`;
  }

  #objectPath(path: string): string {
    return `${this.#bucketPath}/o/${encodeURIComponent(this.#key(path))}`;
  }

  #key(path: string): string {
    return keyBelow(this.#source.prefix, path);
  }

  /** Runs one operation under its own signal, and turns what it throws into a `BackendError`. */
  async #run<T>(
    operation: BackendOperation,
    path: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await oneOperation(signal, run, (error) => this.#failure(error, operation, path));
  }

  #failure(error: unknown, operation: BackendOperation, path: string): unknown {
    if (error instanceof RefusedError) {
      const { bucket } = this.#source;
      const failed = { backend: this.name, operation, path, bucket };
      return refusedOperation(error.refusal, failed, this.#clock);
    }
    if (!(error instanceof StoreFault)) return error;
    const { code, message, hint, cause } = error;
    return new BackendError(code, this.name, operation, path, message, hint, null, { cause });
  }
}

/** The API below the endpoint: https://cloud.google.com/storage/docs/json_api/v1 */
const API = "/storage/v1";

/** What `request` gives, or null when it found no such object; a missing bucket is an error. */
async function unlessAbsent<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof RefusedError) || error.refusal.status !== 404) throw error;
    if (isBucketMissing(error.refusal)) throw error;
    return null;
  }
}
