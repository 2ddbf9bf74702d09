/** Shorthands for tests that talk to backends. */
import assert from "node:assert/strict";
import {
  type Backend,
  BackendError,
  type BackendErrorCode,
  type Content,
  type Entry,
  type ListPage,
  type ObjectEntry,
} from "../../cache/backend/backend.ts";

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** Content made of `bytes`, handed out in `pieces` of about equal size. */
export function contentOf(bytes: Uint8Array<ArrayBuffer>, pieces = 3): Content {
  const pieceBytes = Math.max(1, Math.ceil(bytes.length / pieces));
  return {
    sizeBytes: bytes.length,
    async *open() {
      for (let start = 0; start < bytes.length; start += pieceBytes) {
        yield await Promise.resolve(bytes.subarray(start, start + pieceBytes));
      }
    },
  };
}

/** `text` as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes in which offsets differ from their neighbours, and every `seed` from the others. */
export function patternOf(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + seed * 97) % 251;
  return bytes;
}

/** Stores `bytes` at `path` through the backend. */
export function put(
  backend: Backend,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ObjectEntry> {
  return backend.put(path, contentOf(bytes), never);
}

/** Reads a range of one version. */
export async function read(
  backend: Backend,
  path: string,
  version: string,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const target = new Uint8Array(length);
  await backend.read({ path, version, offset, target, onFilled: () => {} }, never);
  return target;
}

/** All pages of a directory. */
export async function listAll(backend: Backend, directory: string): Promise<ListPage[]> {
  const pages: ListPage[] = [];
  let token: string | null = null;
  do {
    const page: ListPage = await backend.list(directory, token, never);
    pages.push(page);
    token = page.next;
    assert.ok(pages.length < 1000, "a listing ends");
  } while (token !== null);
  return pages;
}

/** All entries of a directory, sorted by name. */
export async function entriesOf(backend: Backend, directory: string): Promise<Entry[]> {
  const pages = await listAll(backend, directory);
  return pages.flatMap((page) => page.entries).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** All entries of a directory as `KIND NAME`, sorted by name. */
export async function namesOf(backend: Backend, directory: string): Promise<string[]> {
  return (await entriesOf(backend, directory)).map(({ kind, name }) => `${kind} ${name}`);
}

/** Asserts that `operation` fails with `code`, and returns the error. */
export async function failsWith(
  code: BackendErrorCode,
  operation: Promise<unknown>,
): Promise<BackendError> {
  const error: unknown = await operation.then(() => null, (reason: unknown) => reason);
  assert.ok(error instanceof BackendError, `expected ${code}, got ${error}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** `entry` without the access time, which reading changes on file systems. */
export function withoutAccess(entry: Entry | null): unknown {
  if (entry === null || entry.posix === null) return entry;
  return { ...entry, posix: { ...entry.posix, accessed: null } };
}
