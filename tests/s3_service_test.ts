/** What the S3 backend and a real service make of each other: rights, names, pages, versions. */
import assert from "node:assert/strict";
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Secret } from "../cache/platform/secret.ts";
import {
  bytesOf,
  failsWith,
  listAll,
  never,
  patternOf,
  put,
  read,
} from "./support/backend_calls.ts";
import { openS3, s3SourceAt } from "./support/s3_place.ts";
import { createTestAuthority } from "./support/test_authority.ts";
import { startVersitygw, startVersitygwWithTls, type Versitygw } from "./support/versitygw.ts";

const BUCKET = "service";

let running: Versitygw | null = null;
Deno.test.beforeAll(async () => {
  running = await startVersitygw();
  await running.createBucket(BUCKET);
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

function server(): Versitygw {
  if (running === null) throw new Error("The server has not been started");
  return running;
}

Deno.test("S3Backend says that a bucket does not exist", async () => {
  await using backend = await openS3(s3SourceAt(server(), "nowhere"));
  for (
    const operation of [
      () => backend.list("", null, never),
      () => backend.stat("object", never),
      () => read(backend, "object", "1", 0, 1),
      () => put(backend, "object", bytesOf("x")),
    ]
  ) {
    const error = await failsWith("not_found", operation());
    assert.match(error.message, /there is no bucket "nowhere": .* NoSuchBucket/);
    assert.match(error.hint ?? "", /the bucket/);
  }
});

Deno.test("S3Backend says that a key is wrong, and shows none", async () => {
  const source = s3SourceAt(server(), BUCKET);
  const { accessKeyId, secretAccessKey } = server();
  const cases: [id: string, secret: string, code: RegExp][] = [
    [accessKeyId, "not-the-secret", /SignatureDoesNotMatch/],
    ["nobody", secretAccessKey, /InvalidAccessKeyId|XAdminUserNotFound/],
  ];
  for (const [id, secret, code] of cases) {
    await using backend = await openS3({
      ...source,
      auth: {
        method: "static",
        accessKeyId: new Secret(id),
        secretAccessKey: new Secret(secret),
        sessionToken: null,
      },
    });
    for (
      const operation of [
        () => backend.list("", null, never),
        () => read(backend, "object", "1", 0, 1),
        () => put(backend, "object", bytesOf("x")),
      ]
    ) {
      const error = await failsWith("denied", operation());
      assert.match(error.message, code);
      assert.ok(error.hint);
      assert.ok(!Deno.inspect(error, { depth: 10 }).includes(secret));
    }
  }
});

Deno.test("S3Backend without keys sends no signature, which a private bucket refuses", async () => {
  const source = s3SourceAt(server(), BUCKET);
  await using backend = await openS3({ ...source, auth: { method: "none" } });
  await failsWith("denied", backend.list("", null, never));
  await failsWith("denied", read(backend, "object", "1", 0, 1));
});

Deno.test("S3Backend lists a directory of more than 10,000 keys completely and once", async () => {
  const count = 10_050;
  const { client } = server();
  await server().createBucket("many");
  let next = 0;
  const seed = async () => {
    for (let index = next++; index < count; index = next++) {
      const Key = `d/${String(index).padStart(6, "0")} +%`;
      await client.send(new PutObjectCommand({ Bucket: "many", Key, Body: "x" }));
    }
  };
  await Promise.all(Array.from({ length: 16 }, seed));
  await using backend = await openS3(s3SourceAt(server(), "many"));
  const pages = await listAll(backend, "d");
  assert.equal(pages.length, 11);
  const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
  assert.equal(names.length, count);
  assert.equal(new Set(names).size, count);
  assert.equal(names.at(-1), "010049 +%");
});

Deno.test("S3Backend knows an object written in parts, and the same bytes again", async () => {
  await using backend = await openS3(s3SourceAt(server(), BUCKET));
  const bytes = patternOf(9 * 1024 * 1024, 1);
  const stored = await put(backend, "parts", bytes);
  assert.match(stored.version, /^[0-9a-f]{32}-2$/);
  assert.deepEqual(await backend.stat("parts", never), stored);
  // The ETag is made of the bytes, so a reader of the old object may go on.
  const again = await put(backend, "parts", bytes);
  assert.equal(again.version, stored.version);
  assert.deepEqual(
    await read(backend, "parts", stored.version, 8_388_600, 16),
    bytes.subarray(8_388_600, 8_388_616),
  );
});

Deno.test("S3Backend reads no object that has no ETag", async () => {
  await using backend = await openS3(s3SourceAt(server(), BUCKET));
  // The server keeps ETags beside the files, and this file did not come through it.
  await Deno.writeTextFile(`${server().root}/${BUCKET}/foreign`, "hello");
  const [page] = await listAll(backend, "");
  const entry = page?.entries.find(({ name }) => name === "foreign");
  assert.ok(entry?.kind === "object");
  assert.equal(entry.etag, null);
  const error = await failsWith("invalid", read(backend, "foreign", entry.version, 0, 5));
  assert.match(error.message, /no ETag/);
});

Deno.test("S3Backend reads sparse objects of 10 GiB at any place", async () => {
  await using backend = await openS3(s3SourceAt(server(), BUCKET));
  const { version } = await put(backend, "sparse", bytesOf("begin"));
  // The server keeps an object as a file: made longer, it has the same ETag and all its zeros.
  const sizeBytes = 10 * 1024 ** 3;
  await Deno.truncate(`${server().root}/${BUCKET}/sparse`, sizeBytes);
  const entry = await backend.stat("sparse", never);
  assert.equal(entry?.kind === "object" ? entry.sizeBytes : null, sizeBytes);
  assert.deepEqual(await read(backend, "sparse", version, 0, 5), bytesOf("begin"));
  assert.deepEqual(await read(backend, "sparse", version, sizeBytes - 9, 9), new Uint8Array(9));
});

Deno.test("S3Backend trusts the certificates of its settings, and no others", async () => {
  await using authority = await createTestAuthority();
  await using server = await startVersitygwWithTls(authority);
  // To the server, every directory of its root is a bucket.
  await Deno.mkdir(`${server.root}/${BUCKET}`);
  const source = s3SourceAt(server, BUCKET);
  const caCertificates = await Deno.readTextFile(authority.authorityFile);
  await using trusting = await openS3({ ...source, caCertificates });
  const { version } = await put(trusting, "object", bytesOf("hello"));
  assert.deepEqual(await read(trusting, "object", version, 0, 5), bytesOf("hello"));
  await using other = await openS3(source);
  const error = await failsWith("unavailable", read(other, "object", version, 0, 5));
  assert.match(error.message, /certificate of 127\.0\.0\.1:\d+ is not trusted/);
});

Deno.test("S3Backend leaves no parts behind of a put that its caller gave up", async () => {
  await using backend = await openS3(s3SourceAt(server(), BUCKET));
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
  const { Uploads } = await server().client.send(
    new ListMultipartUploadsCommand({ Bucket: BUCKET }),
  );
  assert.deepEqual(Uploads ?? [], []);
});
