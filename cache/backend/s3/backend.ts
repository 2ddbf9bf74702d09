/** Amazon S3 and stores that are compatible with it: one bucket, or one prefix of it. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Checksum } from "../checksum.ts";
import { checksumOf } from "./checksum.ts";
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
import { credentialOf } from "./credentials.ts";
import { directoryEntry, listPage, objectEntry } from "./entry.ts";
import { isRefusedCredential, NO_S3_SERVICE, refusedOperation, serviceCodeOf } from "./errors.ts";
import { readRange, type S3ReadPath } from "./read.ts";
import { S3Signer } from "./signer.ts";
import type { S3Source } from "./source.ts";
import { escapeUri, S3Transport } from "./transport.ts";
import { upload } from "./upload.ts";
import { DECOMPRESSED, StoreFault } from "../store_fault.ts";
import type { Clock } from "../../platform/clock.ts";

/** The backend contract over `@aws-sdk/client-s3`. */
export class S3Backend implements Backend {
  readonly provider = "s3";
  readonly #source: S3Source;
  readonly #client: S3Client;
  readonly #transport: S3Transport;
  readonly #signer: S3Signer;
  readonly #readPath: S3ReadPath;
  readonly #clock: Clock;
  /** Fields of every request. */
  readonly #common: { readonly Bucket: string; readonly RequestPayer?: "requester" };

  private constructor(readonly name: string, source: S3Source, signer: S3Signer, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#signer = signer;
    this.#transport = new S3Transport(source);
    const { bucket, endpoint, region, pathStyle, requesterPays } = source;
    this.#client = new S3Client({
      endpoint,
      region,
      forcePathStyle: pathStyle,
      signer,
      // The signer has its own; without these the SDK would look for some.
      credentials: { accessKeyId: "", secretAccessKey: "" },
      maxAttempts: 1,
      requestHandler: this.#transport.requestHandler,
      // The signature covers the content already, and not every store knows the checksums of AWS.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      customUserAgent: "warpdrive",
    });
    const { url: bucketUrl } = this.#client.config.endpointProvider({
      Bucket: bucket,
      Endpoint: endpoint,
      Region: region,
      ForcePathStyle: pathStyle,
      UseFIPS: false,
      UseDualStack: false,
    });
    this.#readPath = { signer, transport: this.#transport, bucketUrl, requesterPays };
    this.#common = { Bucket: bucket, ...(requesterPays ? { RequestPayer: "requester" } : {}) };
  }

  /** Prepares access to `source` as backend `name`; the service is not asked for anything yet. */
  static open(name: string, source: S3Source, deps: RenewalDeps): S3Backend {
    const credential = credentialOf(source.auth, source.region, deps);
    return new S3Backend(name, source, new S3Signer(source.region, credential), deps.clock);
  }

  /** When the credentials in use end, in milliseconds since the epoch; null: never, or unknown. */
  get credentialExpiresMs(): number | null {
    return this.#signer.expiresMs;
  }

  async list(directory: string, token: string | null, signal: AbortSignal): Promise<ListPage> {
    if (!isReachable(directory)) return { entries: [], next: null, unlistable: 0 };
    const key = this.#key(directory);
    const prefix = key === "" ? "" : `${key}/`;
    return await this.#run("list", directory, signal, async (abortSignal) => {
      const command = new ListObjectsV2Command({
        ...this.#common,
        Prefix: prefix,
        Delimiter: "/",
        MaxKeys: this.#source.listPageSize,
        EncodingType: "url",
        ...(token === null ? {} : { ContinuationToken: token }),
      });
      const answer = await this.#client.send(command, { abortSignal });
      if (answer.IsTruncated === undefined) throw new StoreFault(...NO_S3_SERVICE);
      return listPage(prefix, answer);
    });
  }

  async stat(path: string, signal: AbortSignal): Promise<Entry | null> {
    if (path === "") return directoryEntry("");
    if (!isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (abortSignal) => {
      const listing = this.#hasBelow(path, abortSignal);
      const head = this.#object(path, abortSignal).catch(async (error: unknown) => {
        // A refused HEAD has no body to say why, which the listing has.
        if (error instanceof RefusedError) await listing;
        throw error;
      });
      const [itself, below] = await Promise.all([head, listing]);
      return below ? directoryEntry(baseName(path)) : itself;
    });
  }

  async checksum(path: string, version: string, signal: AbortSignal): Promise<Checksum | null> {
    if (path === "" || !isReachable(path)) return null;
    return await this.#run("stat", path, signal, async (abortSignal) => {
      const head = new HeadObjectCommand({ ...this.#address(path), ChecksumMode: "ENABLED" });
      const facts = await unlessAbsent(this.#client.send(head, { abortSignal }));
      return facts?.ETag?.replaceAll('"', "") === version ? checksumOf(facts) : null;
    });
  }

  async read(range: RangeRead, signal: AbortSignal): Promise<void> {
    if (range.target.length === 0) return;
    await this.#run(
      "read",
      range.path,
      signal,
      (own) => readRange(this.#readPath, this.#key(range.path), range, own),
    );
  }

  async put(path: string, content: Content, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "put", path);
    return await this.#run("put", path, signal, async (abortSignal) => {
      const etag = await upload(this.#client, this.#address(path), content, abortSignal);
      return await this.#stored(path, etag, abortSignal);
    });
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    if (!isReachable(path)) return;
    await this.#run("remove", path, signal, async (abortSignal) => {
      const command = new DeleteObjectCommand(this.#address(path));
      await unlessAbsent(this.#client.send(command, { abortSignal }));
    });
  }

  async copy(from: string, to: string, signal: AbortSignal): Promise<ObjectEntry> {
    requireReachable(this.name, "copy", to);
    return await this.#run("copy", to, signal, async (abortSignal) => {
      const source = `${this.#source.bucket}/${this.#key(from)}`;
      const CopySource = source.split("/").map(escapeUri).join("/");
      const command = new CopyObjectCommand({ ...this.#address(to), CopySource });
      const { CopyObjectResult } = await this.#client.send(command, { abortSignal });
      if (CopyObjectResult?.ETag === undefined) throw new StoreFault(...NO_S3_SERVICE);
      return await this.#stored(to, CopyObjectResult.ETag, abortSignal);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    this.#transport[Symbol.dispose]();
    await this.#signer[Symbol.asyncDispose]();
  }

  /** The object just written at `path`, whose date only the store knows. */
  async #stored(path: string, etag: string, abortSignal: AbortSignal): Promise<ObjectEntry> {
    const stored = await this.#object(path, abortSignal);
    if (stored?.etag === etag.replaceAll('"', "")) return stored;
    throw new StoreFault("unavailable", "the object was replaced or deleted at once");
  }

  /** The object at exactly `path`; null when there is none. */
  async #object(path: string, abortSignal: AbortSignal): Promise<ObjectEntry | null> {
    const command = new HeadObjectCommand(this.#address(path));
    const facts = await unlessAbsent(this.#client.send(command, { abortSignal }));
    if (facts === null) return null;
    const { ContentLength: sizeBytes, LastModified: modified, ETag: etag } = facts;
    if (modified === undefined) throw new StoreFault(...NO_S3_SERVICE);
    if (sizeBytes === undefined) throw new StoreFault(...DECOMPRESSED);
    return objectEntry(baseName(path), { etag: etag ?? "", sizeBytes, modified });
  }

  async #hasBelow(path: string, abortSignal: AbortSignal): Promise<boolean> {
    const Prefix = `${this.#key(path)}/`;
    const command = new ListObjectsV2Command({ ...this.#common, Prefix, MaxKeys: 1 });
    const { KeyCount, Contents } = await this.#client.send(command, { abortSignal });
    return (KeyCount ?? 0) > 0 || (Contents?.length ?? 0) > 0;
  }

  #key(path: string): string {
    return keyBelow(this.#source.prefix, path);
  }

  #address(path: string) {
    return { ...this.#common, Key: this.#key(path) };
  }

  /** Runs one operation under its own signal, and turns what it throws into a `BackendError`. */
  async #run<T>(
    operation: BackendOperation,
    path: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return await oneOperation(
      signal,
      (own) => this.#withCredentials(own, run),
      (error) => this.#failure(error, operation, path),
    );
  }

  /** Runs it with valid credentials, and once more with newer ones where the service minds them. */
  async #withCredentials<T>(
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const used = await this.#signer.prepare(signal);
    try {
      return await run(signal);
    } catch (error) {
      const refused = error instanceof RefusedError && isRefusedCredential(error.refusal);
      if (!refused || used === null || !await this.#signer.replace(used, signal)) throw error;
    }
    return await run(signal);
  }

  #failure(error: unknown, operation: BackendOperation, path: string): unknown {
    const { bucket, region } = this.#source;
    if (error instanceof RefusedError) {
      const failed = { backend: this.name, operation, path, bucket, region };
      return refusedOperation(error.refusal, failed, this.#clock);
    }
    const fault = faultOf(error);
    if (fault === null) return error;
    const { code, message, hint, cause } = fault;
    return new BackendError(code, this.name, operation, path, message, hint, null, { cause });
  }
}

/** The fault that `error` is or stands for; null for what is a mistake of ours. */
function faultOf(error: unknown): StoreFault | null {
  if (error instanceof StoreFault) return error;
  // Copies and uploads of parts may fail after the service has answered 200.
  if (error instanceof S3ServiceException) {
    const reason = `the service answered ${error.name} (${error.message})`;
    return new StoreFault("unavailable", reason, null, { cause: error });
  }
  // The SDK could not make sense of the answer.
  const unread = error instanceof Error && "$response" in error;
  return unread ? new StoreFault(...NO_S3_SERVICE, { cause: error }) : null;
}

/** What `request` gives, or null when it found no such object; a missing bucket is an error. */
async function unlessAbsent<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof RefusedError) || error.refusal.status !== 404) throw error;
    if (serviceCodeOf(error.refusal) === "NoSuchBucket") throw error;
    return null;
  }
}
