import { deepEqual, equal, throws } from "node:assert/strict";
import type { Environment } from "./platform/environment.ts";
import { CommandError } from "./platform/exit.ts";
import { backendFromUrl, isSourceUrl } from "./source_url.ts";

const env: Environment = { get: () => undefined };
const inputs = { env, readTextFile: () => "" };

Deno.test("isSourceUrl tells URLs from paths", () => {
  equal(isSourceUrl("file:///srv"), true);
  equal(isSourceUrl("azblob://a/b"), true);
  equal(isSourceUrl("/srv/data"), false);
  equal(isSourceUrl("./a:b"), false);
});

Deno.test("backendFromUrl gives a store the defaults of a configuration file", () => {
  const settings = backendFromUrl({ url: "azblob://acc/data/a/b", action: "write to" }, inputs);
  equal(settings.name, "data");
  equal(settings.timeoutMs, 30_000);
  deepEqual(settings.source, {
    type: "azureblob",
    account: "acc",
    container: "data",
    prefix: "a/b",
    endpoint: "https://acc.blob.core.windows.net",
    listPageSize: 5_000,
    auth: { method: "managed_identity", clientId: null, resourceId: null },
  });
});

Deno.test("backendFromUrl says what is wrong with a URL, without its secrets", () => {
  for (
    const [url, reason] of [["azblob://Acc/data?sig=x", "carries"], ["azblob://Acc/data", "Acc"]]
  ) {
    throws(
      () => backendFromUrl({ url: url ?? "", action: "write to" }, inputs),
      (error: unknown) => {
        equal(error instanceof CommandError && error.code, "usage");
        const message = error instanceof Error ? error.message : "";
        return message.startsWith('Cannot write to "azblob://Acc/data') &&
          message.includes(reason ?? "") && !message.includes("sig=x");
      },
    );
  }
});
