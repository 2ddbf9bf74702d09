/** `warpdrive bench --checksum` over real S3 and Cloud Storage: all kinds of checksums, at once. */
import { deepEqual, equal, match } from "node:assert/strict";
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { z } from "zod";
import { ERRNO } from "../cache/platform/errno.ts";
import { runProgram } from "./cli/run_program.ts";
import { benchVerdict } from "./support/bench_verdict.ts";
import { type GcsServers, startGcsServers } from "./support/gcs_place.ts";
import { mount, type Mounted } from "./support/mounted.ts";
import { Posix } from "./support/posix.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { startVersitygw, type Versitygw } from "./support/versitygw.ts";

const BUCKET = "bucket";
const ATTRIBUTE = "user.warpdrive.checksum";
const CONTENT = sampleBytes(300_000, 3);
const DAMAGED_AT = 123_456;

/** What makes S3 keep a kind of checksum and nothing stronger; in one part, or as it is. */
const IN_S3: readonly (readonly [kind: string, ChecksumAlgorithm, ChecksumType | null])[] = [
  ["sha256", "SHA256", null],
  ["sha1", "SHA1", null],
  ["md5", "CRC32", null],
  ["crc64nvme", "CRC64NVME", "FULL_OBJECT"],
  ["crc32c", "CRC32C", "FULL_OBJECT"],
  ["crc32", "CRC32", "FULL_OBJECT"],
  ["none", "CRC32", "COMPOSITE"],
];

async function putInParts(
  { client }: Versitygw,
  key: string,
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
): Promise<void> {
  const object = { Bucket: BUCKET, Key: key };
  const created = await client.send(
    new CreateMultipartUploadCommand({
      ...object,
      ChecksumAlgorithm: algorithm,
      ChecksumType: type,
    }),
  );
  const upload = { ...object, UploadId: created.UploadId };
  const part = await client.send(
    new UploadPartCommand({
      ...upload,
      PartNumber: 1,
      Body: CONTENT,
      ChecksumAlgorithm: algorithm,
    }),
  );
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME } = part;
  const Parts = [{ PartNumber: 1, ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME }];
  await client.send(
    new CompleteMultipartUploadCommand({
      ...upload,
      ChecksumType: type,
      MultipartUpload: { Parts },
    }),
  );
}

/** Good and damaged objects of each kind in the bucket of `server`, which keeps them as files. */
async function fillS3(server: Versitygw): Promise<void> {
  await server.createBucket(BUCKET);
  for (const [kind, algorithm, type] of IN_S3) {
    for (const state of ["good", "damaged"]) {
      const Key = `${kind}/${state}`;
      if (type !== null) await putInParts(server, Key, algorithm, type);
      else {
        const object = { Bucket: BUCKET, Key, Body: CONTENT, ChecksumAlgorithm: algorithm };
        await server.client.send(new PutObjectCommand(object));
      }
      if (state === "good") continue;
      using file = await Deno.open(`${server.root}/${BUCKET}/${Key}`, { write: true });
      await file.seek(DAMAGED_AT, Deno.SeekMode.Start);
      await file.write(damaged().subarray(DAMAGED_AT, DAMAGED_AT + 1));
    }
  }
}

/** An object that was composed, and another of which the service knows what it once was. */
async function fillGcs({ server, gate }: GcsServers): Promise<void> {
  await server.createBucket(BUCKET);
  await server.upload(BUCKET, "source", CONTENT);
  const objects = `/storage/v1/b/${BUCKET}/o`;
  const path = (state: string) => `${objects}/${encodeURIComponent(`crc32c/${state}`)}`;
  const composed = await fetch(`${server.endpoint}${path("good")}/compose`, {
    method: "POST",
    body: JSON.stringify({ sourceObjects: [{ name: "source" }] }),
  });
  equal(composed.status, 200);
  const { crc32c } = z.object({ crc32c: z.string() }).parse(await composed.json());
  await server.upload(BUCKET, "crc32c/damaged", damaged());
  // The service has no MD5 of what was composed, which the server does not know.
  gate.instead.set(path("good"), { md5Hash: undefined });
  gate.instead.set(path("damaged"), { md5Hash: undefined, crc32c });
}

function damaged(): Uint8Array<ArrayBuffer> {
  const bytes = CONTENT.slice();
  bytes[DAMAGED_AT] = (bytes[DAMAGED_AT] ?? 0) ^ 1;
  return bytes;
}

async function mountBoth(s3: Versitygw, { gate, keyFile }: GcsServers): Promise<Mounted> {
  return await mount({
    config: {
      backends: [
        {
          name: "s3",
          type: "s3",
          config: { root: BUCKET, endpoint: s3.endpoint },
          auth: { method: "static", access_key_id_env: "ID", secret_access_key_env: "SECRET" },
        },
        {
          name: "gcs",
          type: "gcs",
          config: { root: BUCKET, prefix: "crc32c", endpoint: gate.endpoint },
          auth: { method: "service_account", key_file: keyFile },
        },
      ],
    },
    variables: { ID: s3.accessKeyId, SECRET: s3.secretAccessKey },
  });
}

Deno.test("Each file is compared with the checksum that its own store keeps of it", async (t) => {
  await using s3 = await startVersitygw();
  await using gcs = await startGcsServers();
  await fillS3(s3);
  await fillGcs(gcs);
  await using mounted = await mountBoth(s3, gcs);
  const kinds = IN_S3.map(([kind]) => `s3/${kind}`).filter((place) => place !== "s3/none");

  await t.step("the strongest one can be asked for, and none of what is in parts", async () => {
    using posix = new Posix();
    const attribute = (place: string) => posix.attribute(`${mounted.path}/${place}`, ATTRIBUTE);
    for (const place of kinds) {
      match(String(await attribute(`${place}/good`)), new RegExp(`^${place.slice(3)}:[0-9a-f]+$`));
    }
    match(String(await attribute("gcs/good")), /^crc32c:[0-9a-f]{8}$/);
    equal(await attribute("s3/none/good"), -ERRNO.ENODATA);
  });
  await t.step("a damaged byte is found by every kind, in one run", async () => {
    const run = (...args: string[]) => runProgram(args, {}, {});
    const { stderr, ...verdict } = await benchVerdict(mounted.path, run);
    const places = [...kinds, "gcs"].sort();
    const different = places.map((place) => `${mounted.path}/${place}/damaged`);
    deepEqual(verdict, { code: 1, matched: places.length, different, unknown: 2 });
    match(stderr, /gave other bytes than the store knows: .*gcs\/damaged/);
  });
});
