/** Azure Blob Storage as the suites see it: Azurite. */
import { AzureBackend } from "../../cache/backend/azure/backend.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { PAGE_SIZE } from "../conformance/case.ts";
import { CONTAINER, openBare, startAzureServers } from "../support/azure_place.ts";
import type { StoreKind } from "./tested_store.ts";

const FOR_ITSELF = "it has the proxy and the issuers of the environment";
const NO_FILES = "Azurite keeps many objects in one file";

/** The store. */
export const AZURE_STORE: StoreKind = {
  name: "AzureBackend",
  lacks: {
    own_way: FOR_ITSELF,
    payers: "an account pays for its containers, whoever asks",
    object_files: NO_FILES,
  },
  async start() {
    const servers = await startAzureServers();
    const { azurite, proxy, key: auth } = servers;
    const { endpoint, account } = azurite;
    const container = await azurite.container(CONTAINER);
    const place = {
      endpoint: proxy.through(endpoint),
      ...{ bucket: CONTAINER, caCertificates: null, proxy: null, paying: false },
    };
    const wrong = new Secret(btoa("another key, of an account that is not this one"));
    return {
      ...{ proxy, endpoint, place, files: null },
      stranger: /none of a Blob service/,
      busy: [429, 503].map((status) => ({
        ...{ status, headers: { "x-ms-error-code": "ServerBusy" }, body: "" },
        said: new RegExp(`${status} ServerBusy`),
      })),
      open: ({ endpoint, bucket }) => openBare({ endpoint, container: bucket, auth }),
      async empty(prefix) {
        const name = `c-${crypto.randomUUID()}`;
        const container = await azurite.container(name);
        const source = {
          account,
          container: name,
          prefix,
          endpoint,
          listPageSize: PAGE_SIZE,
          auth,
        };
        const deps = { clock: systemClock, random: () => 0, onRenewal: () => {} };
        const backend = AzureBackend.open("azure", { type: "azureblob", ...source }, deps);
        return {
          backend,
          async seed(key, bytes) {
            const blob = container.getBlockBlobClient(prefix === "" ? key : `${prefix}/${key}`);
            await blob.upload(bytes, bytes.length);
          },
          async [Symbol.asyncDispose]() {
            await backend[Symbol.asyncDispose]();
            await container.delete();
          },
        };
      },
      refused: () => [{
        backend: openBare({
          ...{ endpoint, container: CONTAINER },
          auth: { method: "account_key", accountKey: wrong },
        }),
        said: /403 AuthorizationFailure|403 AuthenticationFailed/,
        secret: wrong.reveal(),
      }],
      async seedCompressed(key, bytes) {
        const blobHTTPHeaders = { blobContentEncoding: "gzip" };
        await container.getBlockBlobClient(key).upload(bytes, bytes.length, { blobHTTPHeaders });
      },
      // Blocks that were not made an object go away by themselves.
      leftovers: () => Promise.resolve([]),
      isRead: (request) => request.startsWith("GET") && !request.includes("comp="),
      isOf: (version, { headers }) => headers.get("if-match") === `"${version}"`,
      isPaid: () => false,
      [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
    };
  },
};
