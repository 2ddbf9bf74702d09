/** Azure Blob Storage: one container, or one prefix of it. */
import {
  AnonymousCredential,
  ContainerClient,
  isRestError,
  newPipeline,
} from "@azure/storage-blob";
import { Buffer } from "node:buffer";
import type { Checksum } from "../checksum.ts";
import { authorization, type AzureAuthorization } from "./credentials.ts";
import { directoryEntry, isDirectoryMarker, listPage, objectEntry } from "./entry.ts";
import { type FailedOperation, NO_BLOB_SERVICE, refusedOperation } from "./errors.ts";
import { readRange } from "./read.ts";
import { AzureTransport } from "./transport.ts";
import { upload } from "./upload.ts";
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
import { isReachable, keyBelow, requireReachable } from "../object_names.ts";
import { oneOperation } from "../one_operation.ts";
import { RefusedError } from "../refusal.ts";
import type { RenewalDeps } from "../identity/renewed_credential.ts";
import type { Source } from "../settings.ts";
import { DECOMPRESSED, StoreFault } from "../store_fault.ts";
import { present } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";

/** Where an Azure backend is. */
export type AzureSource = Extract<Source, { type: "azureblob" }>;

/** How often a copy that the service makes later is asked about. */
const COPY_POLL_MS = 500;

/** The backend contract over `@azure/storage-blob`. */
export class AzureBackend implements Backend {
  readonly provider = "azureblob";
  readonly #source: AzureSource;
  readonly #container: ContainerClient;
  readonly #transport: AzureTransport;
  readonly #clock: Clock;

  private constructor(
    readonly name: string,
    source: AzureSource,
    authorization: AzureAuthorization,
    clock: Clock,
  ) {
    this.#source = source;
    this.#clock = clock;
    this.#transport = new AzureTransport(source.account, authorization);
    const url = `${source.endpoint.replace(/\/+$/, "")}/${source.container}`;
    this.#container = new ContainerClient(
      url,
      newPipeline(new AnonymousCredential(), {
        httpClient: this.#transport.httpClient,
        retryOptions: { maxTries: 1 },
        userAgentOptions: { userAgentPrefix: "warpdrive" },
      }),
    );
  }

  /** Prepares access to `source` as backend `name`; the service is not asked for anything yet. */
  static open(name: string, source: AzureSource, deps: RenewalDeps): AzureBackend {
    return new AzureBackend(name, source, authorization(source.auth, deps), deps.clock);
  }

  /** When the credential in use ends, in milliseconds since the epoch; null: never, or unknown. */
  get credentialExpiresMs(): number | null {
    return this.#transport.credentialExpiresMs;
  }

  async list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    if (!isReachable(directory)) return { entries: [], next: null, unlistable: 0 };
    const key = this.#key(directory);
    const prefix = key === "" ? "" : `${key}/`;
    return await this.#run("list", directory, signal, async (abortSignal) => {
      // The metadata tell objects that stand for directories.
      const pages = this.#container
        .listBlobsByHierarchy("/", { prefix, includeMetadata: true, abortSignal })
        .byPage({
          maxPageSize: this.#source.listPageSize,
          ...(token === null ? {} : { continuationToken: token }),
        });
      for await (const { segment, continuationToken } of pages) {
        return listPage(prefix, segment.blobPrefixes ?? [], segment.blobItems, continuationToken);
      }
      throw new StoreFault("unavailable", "the listing has no page");
    });
  }

  async stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    if (path === "") return directoryEntry("", null);
    if (!isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (abortSignal) => {
      const [itself, below] = await Promise.all([
        this.#blob(path, abortSignal),
        this.#hasBelow(path, abortSignal),
      ]);
      return below && itself?.kind !== "directory" ? directoryEntry(baseName(path), null) : itself;
    });
  }

  async checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null> {
    if (path === "" || !isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (abortSignal) => {
      const client = this.#container.getBlobClient(this.#key(path));
      const facts = await unlessAbsent(client.getProperties({ abortSignal }));
      if (facts?.contentMD5 === undefined || facts.etag?.replaceAll('"', "") !== version) {
        return null;
      }
      return { digest: "md5", hex: Buffer.from(facts.contentMD5).toString("hex") };
    });
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    if (range.target.length === 0) return;
    await this.#run(
      "read",
      range.path,
      signal,
      (own) => readRange(this.#transport, this.#url(range.path), range, own),
    );
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "put", path);
    return await this.#run("put", path, signal, async (abortSignal) => {
      const blob = this.#container.getBlockBlobClient(this.#key(path));
      const answer = await upload(blob, content, abortSignal);
      return objectEntry(baseName(path), {
        etag: present(answer.etag, "the ETag of an upload"),
        contentLength: content.sizeBytes,
        lastModified: present(answer.lastModified, "the date of an upload"),
      });
    });
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    if (!isReachable(path)) return;
    await this.#run("remove", path, signal, async (abortSignal) => {
      await unlessAbsent(this.#container.deleteBlob(this.#key(path), { abortSignal }));
    });
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "copy", to);
    return await this.#run("copy", to, signal, async (abortSignal) => {
      const target = this.#container.getBlobClient(this.#key(to));
      const source = await this.#transport.signedUrl(this.#url(from), abortSignal);
      const poller = await target.beginCopyFromURL(source, { abortSignal });
      while (!poller.isDone()) {
        await this.#clock.sleep(COPY_POLL_MS, abortSignal);
        await poller.poll({ abortSignal });
      }
      const copied = await this.#blob(to, abortSignal);
      if (copied?.kind === "object") return copied;
      throw new StoreFault("unavailable", "the copy was replaced or deleted at once");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  /** What the blob at exactly `path` is; null when there is none. */
  async #blob(path: string, abortSignal: AbortSignal): Promise<Entry | null> {
    const client = this.#container.getBlobClient(this.#key(path));
    const facts = await unlessAbsent(client.getProperties({ abortSignal }));
    if (facts === null) return null;
    const lastModified = present(facts.lastModified, "the date of an object");
    if (isDirectoryMarker(facts.metadata)) return directoryEntry(baseName(path), lastModified);
    if (facts.contentLength === undefined) throw new StoreFault(...DECOMPRESSED);
    return objectEntry(baseName(path), {
      etag: present(facts.etag, "the ETag of an object"),
      contentLength: facts.contentLength,
      lastModified,
    });
  }

  async #hasBelow(path: string, abortSignal: AbortSignal): Promise<boolean> {
    const pages = this.#container
      .listBlobsFlat({ prefix: `${this.#key(path)}/`, abortSignal })
      .byPage({ maxPageSize: 1 });
    // The service may answer with an empty page and a token, where it skipped deleted blobs.
    for await (const { segment } of pages) {
      if (segment.blobItems.length > 0) return true;
    }
    return false;
  }

  #key(path: string): string {
    return keyBelow(this.#source.prefix, path);
  }

  #url(path: string): string {
    const escaped = this.#key(path).split("/").map(encodeURIComponent).join("/");
    return `${this.#container.url}/${escaped}`;
  }

  /** Runs one operation under its own signal, and turns what it throws into a `BackendError`. */
  async #run<T>(
    operation: BackendOperation,
    path: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { container } = this.#source;
    const failed = { backend: this.name, operation, path, container };
    return await oneOperation(signal, run, (error) => this.#failure(error, failed));
  }

  #failure(error: unknown, failed: FailedOperation): unknown {
    const { backend, operation, path } = failed;
    if (error instanceof RefusedError) return refusedOperation(error.refusal, failed, this.#clock);
    if (error instanceof StoreFault) {
      const { code, message, hint, cause } = error;
      return new BackendError(code, backend, operation, path, message, hint, null, { cause });
    }
    if (!isRestError(error)) return error;
    const { response } = error;
    // The SDK could not make sense of the answer.
    if (response === undefined || response.status < 300) {
      const [code, reason, hint] = NO_BLOB_SERVICE;
      return new BackendError(code, backend, operation, path, reason, hint);
    }
    return refusedOperation(
      {
        status: response.status,
        header: (name) => response.headers.get(name) ?? null,
        body: response.bodyAsText ?? "",
      },
      failed,
      this.#clock,
    );
  }
}

/** What `request` gives, or null when it found no such blob; a missing container is an error. */
async function unlessAbsent<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (!isRestError(error) || error.statusCode !== 404) throw error;
    if (error.response?.headers.get("x-ms-error-code") === "ContainerNotFound") throw error;
    return null;
  }
}
