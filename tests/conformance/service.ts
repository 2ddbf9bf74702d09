/** What a backend and a whole service make of each other: rights, many keys, great sizes, TLS. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  bytesOf,
  failsWith,
  listAll,
  never,
  patternOf,
  put,
  read,
} from "../support/backend_calls.ts";
import { createTestAuthority } from "../support/test_authority.ts";
import { startTlsFront } from "../support/tls_front.ts";
import type { TestedStore } from "../stores/tested_store.ts";
import type { Case } from "./case.ts";

/** More than any service lists in one page, by far. */
const KEYS = 10_050;
const SPARSE_BYTES = 10 * 1024 ** 3;

/** The cases, past the proxy: a server may refuse a put before it has read all of it. */
export const SERVICE_CASES: readonly Case<TestedStore>[] = [
  ["says that a bucket does not exist", ["missing_bucket"], async (store) => {
    const { open, place, endpoint } = store;
    await using backend = open({ ...place, endpoint, bucket: "nowhere" });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => backend.stat("object", never),
        () => read(backend, "object", "1", 0, 1),
        () => put(backend, "object", bytesOf("x")),
        () => backend.remove("object", never),
      ]
    ) {
      const error = await failsWith("not_found", operation());
      assert.match(
        error.message,
        /there is no (bucket|container) "nowhere": .* (NoSuchBucket|ContainerNotFound)/,
      );
      assert.match(error.hint ?? "", /the (bucket|container)/);
    }
  }],

  ["says that a key is wrong, and shows none", ["keys"], async ({ refused }) => {
    for (const { backend, said, secret } of refused()) {
      await using _closing = backend;
      for (
        const operation of [
          () => backend.list("", null, never),
          () => backend.stat("object", never),
          () => read(backend, "object", "1", 0, 1),
          () => put(backend, "object", bytesOf("x")),
        ]
      ) {
        const error = await failsWith("denied", operation());
        assert.match(error.message, said);
        assert.ok(error.hint);
        assert.ok(!Deno.inspect(error, { depth: 10 }).includes(secret));
      }
    }
  }],

  ["lists more than 10,000 keys completely and once", ["object_files"], async ({ open, files }) => {
    assert.ok(files !== null);
    const { place, directory } = files;
    await using backend = open(place);
    const name = (index: number) => `${String(index).padStart(6, "0")} +%`;
    await put(backend, `many/${name(0)}`, bytesOf("x"));
    // An object is a file with attributes, which links share: uploads take half a minute.
    for (let index = 1; index < KEYS; index += 1) {
      await Deno.link(`${directory}/many/${name(0)}`, `${directory}/many/${name(index)}`);
    }
    const pages = await listAll(backend, "many");
    assert.equal(pages.length, 11);
    const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
    assert.equal(names.length, KEYS);
    assert.equal(new Set(names).size, KEYS);
    assert.equal(names.at(-1), name(KEYS - 1));
  }],

  ["reads sparse objects of 10 GiB at any place", ["object_files"], async ({ open, files }) => {
    assert.ok(files !== null);
    await using backend = open(files.place);
    await put(backend, "sparse", bytesOf("begin"));
    // The server keeps an object as a file: made longer, it has all its zeros.
    await Deno.truncate(`${files.directory}/sparse`, SPARSE_BYTES);
    const entry = await backend.stat("sparse", never);
    assert.ok(entry?.kind === "object");
    assert.equal(entry.sizeBytes, SPARSE_BYTES);
    const { version } = entry;
    assert.deepEqual(await read(backend, "sparse", version, 0, 5), bytesOf("begin"));
    const tail = await read(backend, "sparse", version, SPARSE_BYTES - 9, 9);
    assert.deepEqual(tail, new Uint8Array(9));
  }],

  ["reads what is stored compressed as it is stored", [], async (store) => {
    const bytes = new Uint8Array(gzipSync(patternOf(300_000, 2)));
    await store.seedCompressed("compressed", bytes);
    await using backend = store.open({ ...store.place, endpoint: store.endpoint });
    const half = Math.floor(bytes.length / 2);
    const readParts = async () => {
      const entry = await backend.stat("compressed", never);
      assert.ok(entry?.kind === "object");
      assert.equal(entry.sizeBytes, bytes.length);
      const { version } = entry;
      return [
        await read(backend, "compressed", version, 0, half),
        await read(backend, "compressed", version, half, bytes.length - half),
      ];
    };
    if (Deno.version.deno.startsWith("2.6.")) {
      const error = await failsWith("invalid", readParts());
      assert.match(error.message, /Content-Encoding/);
      return;
    }
    assert.deepEqual(await new Blob(await readParts()).bytes(), bytes);
  }],

  ["trusts the certificates of its settings, and no others", ["own_way"], async (store) => {
    const { open, place } = store;
    await using authority = await createTestAuthority();
    await using front = await startTlsFront(store.endpoint, authority);
    const secure = { ...place, endpoint: front.endpoint };
    const caCertificates = await Deno.readTextFile(authority.authorityFile);
    await using trusting = open({ ...secure, caCertificates });
    const { version } = await put(trusting, "trusted", bytesOf("hello"));
    assert.deepEqual(await read(trusting, "trusted", version, 0, 5), bytesOf("hello"));
    await using other = open(secure);
    const error = await failsWith("unavailable", read(other, "trusted", version, 0, 5));
    assert.match(error.message, /certificate of 127\.0\.0\.1:\d+ is not trusted/);
  }],

  ["leaves nothing of a put that its caller gave up", [], async (store) => {
    const { open, place, endpoint, leftovers } = store;
    await using backend = open({ ...place, endpoint });
    const controller = new AbortController();
    const reason = new Error("No longer wanted");
    const content = {
      sizeBytes: 20 * 1024 * 1024,
      async *open() {
        yield patternOf(9 * 1024 * 1024, 1);
        controller.abort(reason);
        yield await Promise.resolve(patternOf(11 * 1024 * 1024, 2));
      },
    };
    await assert.rejects(backend.put("given up", content, controller.signal), reason);
    assert.equal(await backend.stat("given up", never), null);
    assert.deepEqual(await leftovers(), []);
  }],
];
