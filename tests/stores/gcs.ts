/**
 * Cloud Storage as the suites see it: fake-gcs-server, for the contract behind a gate that asks for
 * tokens and pages listings as the service does.
 */
import { PAGE_SIZE } from "../conformance/case.ts";
import { startFakeGcs } from "../support/fake_gcs.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { gatedSourceAt, gcsSourceAt, openGcs, startGcsServers } from "../support/gcs_place.ts";
import type { StoreKind, StorePlace } from "./tested_store.ts";

const BUCKET = "tested";
const PAYER = "billed-project";
const RATE_LIMIT = JSON.stringify({
  error: { code: 429, message: "Too many", errors: [{ reason: "rateLimitExceeded" }] },
});

/** The store. */
export const GCS_STORE: StoreKind = {
  name: "GcsBackend",
  lacks: {
    keys: "fake-gcs-server asks nobody who they are: gcs_access_test.ts has a gate that does",
    missing_bucket: "fake-gcs-server says the same of a bucket and of an object",
  },
  async start() {
    await using owned = new AsyncDisposableStack();
    const gated = owned.use(await startGcsServers());
    const { server } = gated;
    const { endpoint } = server;
    await server.createBucket(BUCKET);
    const filed = owned.use(await startFakeGcs("files"));
    await filed.createBucket(BUCKET);
    const proxy = owned.use(await FaultProxy.start(endpoint));
    const way = { bucket: BUCKET, caCertificates: null, proxy: null, paying: false };
    const open = ({ endpoint, bucket, paying, ...rest }: StorePlace) =>
      openGcs({
        ...gcsSourceAt(endpoint, bucket),
        ...rest,
        userProject: paying ? PAYER : null,
      });
    const ends = owned.move();
    return {
      ...{ proxy, endpoint, open },
      place: { ...way, endpoint: proxy.origin },
      files: {
        place: { ...way, endpoint: filed.endpoint },
        directory: `${filed.root}/${BUCKET}`,
      },
      stranger: /none of a Cloud Storage service/,
      busy: [429, 403, 503].map((status) => ({
        ...{ status, headers: {}, body: RATE_LIMIT },
        said: new RegExp(`${status} rateLimitExceeded`),
      })),
      async empty(prefix) {
        const bucket = `c-${crypto.randomUUID()}`;
        await server.createBucket(bucket);
        const source = { ...gatedSourceAt(gated, bucket), prefix, listPageSize: PAGE_SIZE };
        const backend = openGcs(source);
        return {
          backend,
          seed: (key, bytes) =>
            server.upload(bucket, prefix === "" ? key : `${prefix}/${key}`, bytes),
          [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
        };
      },
      refused: () => [],
      seedCompressed: (key, bytes) =>
        server.upload(BUCKET, key, bytes, { contentEncoding: "gzip" }),
      leftovers: () => Promise.resolve([]),
      isRead: (request) => request.includes("alt=media"),
      isOf: (version, { request }) => request.includes(`generation=${version}`),
      isPaid: ({ request }) => new RegExp(`[?&]userProject=${PAYER}`).test(request),
      [Symbol.asyncDispose]: () => ends.disposeAsync(),
    };
  },
};
