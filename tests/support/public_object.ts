/** An object on a real server of each store that anybody may read, and our backend for it. */
import { PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Backend } from "../../cache/backend/backend.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { CONTAINER, openBare, sasOf } from "./azure_place.ts";
import { startAzurite } from "./azurite.ts";
import { startFakeGcs } from "./fake_gcs.ts";
import { gcsSourceAt, openGcs } from "./gcs_place.ts";
import { openS3, s3SourceAt } from "./s3_place.ts";
import { startVersitygw } from "./versitygw.ts";

/** The path of the object. */
export const OBJECT = "object";
const BUCKET = "bucket";

/** The stores that there is a server of. */
export const STORE_NAMES = ["azure", "s3", "gcs"] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** The object by our backend, and at a URL that a plain GET reads. */
export interface PublicObject {
  readonly backend: Backend;
  readonly url: string;
}

/** Starts a server of `store`, which `owned` ends, and stores `bytes` there. */
export function storePublicObject(
  store: StoreName,
  bytes: Uint8Array<ArrayBuffer>,
  owned: AsyncDisposableStack,
): Promise<PublicObject> {
  switch (store) {
    case "azure":
      return inAzure(bytes, owned);
    case "s3":
      return inS3(bytes, owned);
    case "gcs":
      return inGcs(bytes, owned);
  }
}

async function inAzure(
  bytes: Uint8Array<ArrayBuffer>,
  owned: AsyncDisposableStack,
): Promise<PublicObject> {
  const azurite = owned.use(await startAzurite());
  const container = await azurite.container(CONTAINER);
  const blob = container.getBlockBlobClient(OBJECT);
  await blob.uploadData(bytes);
  const { endpoint, key } = azurite;
  const auth = { method: "account_key", accountKey: new Secret(key) } as const;
  const backend = owned.use(openBare({ endpoint, container: CONTAINER, auth }));
  return { backend, url: `${blob.url}?${sasOf(azurite, "r")}` };
}

async function inS3(
  bytes: Uint8Array<ArrayBuffer>,
  owned: AsyncDisposableStack,
): Promise<PublicObject> {
  const server = owned.use(await startVersitygw());
  await server.createBucket(BUCKET);
  const { client, endpoint } = server;
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: OBJECT, Body: bytes }));
  const reading = {
    Effect: "Allow",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${BUCKET}/*`,
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [reading] });
  await client.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
  const backend = owned.use(openS3(s3SourceAt(server, BUCKET)));
  return { backend, url: `${endpoint}/${BUCKET}/${OBJECT}` };
}

async function inGcs(
  bytes: Uint8Array<ArrayBuffer>,
  owned: AsyncDisposableStack,
): Promise<PublicObject> {
  const server = owned.use(await startFakeGcs());
  await server.createBucket(BUCKET);
  await server.upload(BUCKET, OBJECT, bytes);
  const backend = owned.use(openGcs(gcsSourceAt(server.endpoint, BUCKET)));
  return { backend, url: `${server.endpoint}/storage/v1/b/${BUCKET}/o/${OBJECT}?alt=media` };
}
