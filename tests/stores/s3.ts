/** S3 as the suites see it: versitygw. */
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Secret } from "../../cache/platform/secret.ts";
import { PAGE_SIZE } from "../conformance/case.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { openS3, s3SourceAt } from "../support/s3_place.ts";
import { startVersitygw } from "../support/versitygw.ts";
import type { StoreKind, StorePlace } from "./tested_store.ts";

const BUCKET = "tested";
const SLOW_DOWN =
  "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>" +
  "</Error>";

/** The store. */
export const S3_STORE: StoreKind = {
  name: "S3Backend",
  lacks: {
    object_beside_directory: "versitygw keeps keys as paths of files, one thing of a name",
    arbitrary_keys: "versitygw keeps keys as paths of files, which have no such names",
  },
  async start() {
    await using owned = new AsyncDisposableStack();
    const server = owned.use(await startVersitygw());
    const { client, endpoint, accessKeyId, secretAccessKey, root } = server;
    await server.createBucket(BUCKET);
    const proxy = owned.use(await FaultProxy.start(endpoint));
    const way = { bucket: BUCKET, caCertificates: null, proxy: null, paying: false };
    const place = { ...way, endpoint: proxy.origin };
    const sourceAt = ({ bucket, paying, ...rest }: StorePlace) => ({
      ...s3SourceAt(server, bucket),
      ...rest,
      requesterPays: paying,
    });
    const withKeys = (id: string, secret: string) => {
      const keys = { accessKeyId: new Secret(id), secretAccessKey: new Secret(secret) };
      return openS3({
        ...sourceAt({ ...place, endpoint }),
        auth: { method: "static", ...keys, sessionToken: null },
      });
    };
    const ends = owned.move();
    return {
      ...{ proxy, endpoint, place },
      files: { place: { ...place, endpoint }, directory: `${root}/${BUCKET}` },
      stranger: /none of an S3 service/,
      busy: [{ status: 503, headers: {}, body: SLOW_DOWN, said: /503 SlowDown/ }],
      open: (place) => openS3(sourceAt(place)),
      async empty(prefix) {
        const bucket = `c-${crypto.randomUUID()}`;
        await server.createBucket(bucket);
        const source = { ...s3SourceAt(server, bucket), prefix, listPageSize: PAGE_SIZE };
        const backend = openS3(source);
        return {
          backend,
          async seed(key, Body) {
            const Key = prefix === "" ? key : `${prefix}/${key}`;
            await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
          },
          [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
        };
      },
      refused: () => [
        {
          backend: withKeys(accessKeyId, "not-the-secret"),
          said: /SignatureDoesNotMatch/,
          secret: "not-the-secret",
        },
        {
          backend: withKeys("nobody", secretAccessKey),
          said: /InvalidAccessKeyId|XAdminUserNotFound/,
          secret: secretAccessKey,
        },
      ],
      async seedCompressed(Key, Body) {
        const object = { Bucket: BUCKET, Key, Body, ContentEncoding: "gzip" };
        await client.send(new PutObjectCommand(object));
      },
      async leftovers() {
        const listing = new ListMultipartUploadsCommand({ Bucket: BUCKET });
        return (await client.send(listing)).Uploads ?? [];
      },
      isRead: (request) => request.startsWith("GET") && !request.includes("list-type"),
      isOf: (version, { headers }) => headers.get("if-match") === `"${version}"`,
      isPaid: ({ headers }) => headers.get("x-amz-request-payer") === "requester",
      [Symbol.asyncDispose]: () => ends.disposeAsync(),
    };
  },
};
