/** A store on loopback, as the suites that every store passes see it. */
import type { Backend } from "../../cache/backend/backend.ts";
import type { Capability, Fixture } from "../conformance/case.ts";
import type { FaultProxy, SeenRequest } from "../support/fault_proxy.ts";

/** Where a bucket is, and the way there. */
export interface StorePlace {
  /** URL of the service. */
  readonly endpoint: string;
  readonly bucket: string;
  /** In PEM, to be trusted; null: those of the system only. */
  readonly caCertificates: string | null;
  /** URL of a proxy; null: none. */
  readonly proxy: string | null;
  /** Whether requests name who pays for them. */
  readonly paying: boolean;
}

/** With what a service asks to slow down, and what an error says of it. */
export interface BusyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly said: RegExp;
}

/** A backend that the service refuses, what it says then, and what must not show. */
export interface RefusedBackend {
  readonly backend: Backend;
  readonly said: RegExp;
  readonly secret: string;
}

/** A store that runs. */
export interface TestedStore extends AsyncDisposable {
  /** On the way to the server. */
  readonly proxy: FaultProxy;
  /** URL of the service past the proxy. */
  readonly endpoint: string;
  /** An empty bucket, by way of the proxy. */
  readonly place: StorePlace;
  /** A bucket whose objects are files below `directory`, named by their keys; null: no such. */
  readonly files: { readonly place: StorePlace; readonly directory: string } | null;
  /** What an error says of an answer that the service would not give. */
  readonly stranger: RegExp;
  readonly busy: readonly BusyAnswer[];
  /** The bare provider at `place`. */
  open(place: StorePlace): Backend;
  /** An empty backend below `prefix`, with short pages. */
  empty(prefix: string): Promise<Fixture>;
  /** Backends with credentials that are wrong. */
  refused(): readonly RefusedBackend[];
  /** Stores `bytes` in the bucket with Content-Encoding gzip. */
  seedCompressed(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What uploads that did not end have left in the bucket for ever. */
  leftovers(): Promise<readonly unknown[]>;
  /** Whether a request, by its first line, asks for bytes of an object. */
  isRead(request: string): boolean;
  /** Whether a request is for `version` and no other. */
  isOf(version: string, request: SeenRequest): boolean;
  /** Whether a request names who pays. */
  isPaid(request: SeenRequest): boolean;
}

/** A store to be tested. */
export interface StoreKind {
  /** The name of its backend. */
  readonly name: string;
  /** Capabilities it lacks, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Capability, string>>>;
  start(): Promise<TestedStore>;
}
