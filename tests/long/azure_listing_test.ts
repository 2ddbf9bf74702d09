/**
 * A large directory in Azurite. It takes its objects one by one, which is too slow for each change:
 * the suite of every store has the others' (`tests/conformance/service.ts`).
 */
import { equal } from "node:assert/strict";
import { Secret } from "../../cache/platform/secret.ts";
import { CONTAINER, openBare, sasOf } from "../support/azure_place.ts";
import { startAzurite } from "../support/azurite.ts";
import { listAll } from "../support/backend_calls.ts";

const KEYS = 10_050;
const UPLOADS_AT_ONCE = 16;

Deno.test("AzureBackend lists more than 10,000 keys completely and once", async () => {
  await using azurite = await startAzurite();
  const container = await azurite.container(CONTAINER);
  const query = sasOf(azurite, "cw");
  const name = (index: number) => `${String(index).padStart(6, "0")} +%`;
  const indexes = new Array(KEYS).keys();
  const upload = async () => {
    for (const index of indexes) {
      const url = `${container.url}/many/${encodeURIComponent(name(index))}?${query}`;
      const headers = { "x-ms-blob-type": "BlockBlob" };
      const answer = await fetch(url, { method: "PUT", headers, body: "x" });
      equal(answer.status, 201, await answer.text());
    }
  };
  await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, upload));
  const { endpoint, key } = azurite;
  const auth = { method: "account_key", accountKey: new Secret(key) } as const;
  // The page size is what a mount asks for unless it is told otherwise.
  await using backend = openBare({ endpoint, container: CONTAINER, auth }, 5_000);
  const pages = await listAll(backend, "many");
  equal(pages.length, 3);
  const names = pages.flatMap(({ entries }) => entries.map(({ name }) => name));
  equal(names.length, KEYS);
  equal(new Set(names).size, KEYS);
  equal(names.at(-1), name(KEYS - 1));
});
