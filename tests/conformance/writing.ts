/** What a backend stores, copies and removes, and how it gives up. */
import assert from "node:assert/strict";
import {
  bytesOf,
  contentOf,
  failsWith,
  namesOf,
  never,
  patternOf,
  put,
  read,
  withoutAccess,
} from "../support/backend_calls.ts";
import type { Case } from "./case.ts";

/** The cases, in the order in which they build on each other. */
export const WRITING_CASES: readonly Case[] = [
  ["stores and reads an empty object", [], async ({ backend }) => {
    const stored = await put(backend, "empty", new Uint8Array(0));
    assert.equal(stored.sizeBytes, 0);
    assert.deepEqual(withoutAccess(await backend.stat("empty", never)), withoutAccess(stored));
    assert.deepEqual(await read(backend, "empty", stored.version, 0, 0), new Uint8Array(0));
  }],

  ["removes what is there, and what is not", [], async ({ backend }) => {
    await put(backend, "d/object", bytesOf("x"));
    await put(backend, "d/other", bytesOf("x"));
    await backend.remove("d/object", never);
    await backend.remove("d/object", never);
    assert.deepEqual(await namesOf(backend, "d"), ["object other"]);
  }],

  ["copies an object", [], async ({ backend }) => {
    const bytes = patternOf(300_000, 8);
    await put(backend, "from here", bytes);
    const copy = await backend.copy("from here", "to/there #1", never);
    assert.equal(copy.name, "there #1");
    assert.equal(copy.sizeBytes, bytes.length);
    assert.deepEqual(await read(backend, "to/there #1", copy.version, 0, bytes.length), bytes);
    assert.equal((await backend.stat("from here", never))?.kind, "object");
    await failsWith("not_found", backend.copy("absent", "anything", never));
  }],

  ["refuses content of another length than announced", ["checks_length"], async ({ backend }) => {
    for (const announced of [4, 6]) {
      const content = { ...contentOf(bytesOf("12345")), sizeBytes: announced };
      await failsWith("invalid", backend.put("object", content, never));
    }
    assert.equal(await backend.stat("object", never), null);
  }],

  ["stores content of several upload blocks", [], async ({ backend }) => {
    const bytes = patternOf(17 * 1024 * 1024, 9);
    const stored = await backend.put("large", contentOf(bytes, 100), never);
    assert.equal(stored.sizeBytes, bytes.length);
    const tail = await read(backend, "large", stored.version, bytes.length - 1_000_000, 1_000_000);
    assert.deepEqual(tail, bytes.subarray(bytes.length - 1_000_000));
  }],

  ["gives up with the reason of its signal", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("x"));
    const reason = new Error("No longer wanted");
    const aborted = AbortSignal.abort(reason);
    const target = new Uint8Array(1);
    const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
    await assert.rejects(backend.list("", null, aborted), reason);
    await assert.rejects(backend.stat("object", aborted), reason);
    await assert.rejects(backend.read(range, aborted), reason);
    await assert.rejects(backend.put("new", contentOf(bytesOf("x")), aborted), reason);
  }],

  ["leaves nothing behind on the signals of its callers", [], async ({ backend }) => {
    const { version } = await put(backend, "object", bytesOf("12345"));
    const signal = new CountingSignal();
    const target = new Uint8Array(5);
    await backend.list("", null, signal.signal);
    await backend.stat("object", signal.signal);
    const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
    await backend.read(range, signal.signal);
    await backend.put("other", contentOf(bytesOf("x")), signal.signal);
    await backend.copy("object", "copy", signal.signal);
    await backend.remove("copy", signal.signal);
    assert.equal(signal.listeners, 0);
  }],
];

/** A signal that counts who listens to it. */
class CountingSignal {
  readonly signal = new AbortController().signal;
  listeners = 0;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...parameters: Parameters<typeof add>) => {
      this.listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: Parameters<typeof remove>) => {
      this.listeners -= 1;
      remove(...parameters);
    };
  }
}
